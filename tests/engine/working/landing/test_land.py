"""Landing: one session after another, tested as merged, and the target moves or stays as it is."""

from pathlib import Path

import pytest

from abreast import api
from abreast.engine.client.requests import connect
from abreast.errors import StateError
from abreast.model.landing import LandOptions
from abreast.model.moves import Edit, Say, Shell, Write
from abreast.model.session import LandMode, LandOrder, LandState, Run, RunState, SessionState
from abreast.model.task import AgentChoice
from tests.support.deadlines import eventually
from tests.support.stage import Stage, replace, scripted, task, until, writes
from tests.support.untouched import marks_of, shared_by

LANDED, BOUNCED, READY, NONE = (
    LandState.LANDED,
    LandState.BOUNCED,
    LandState.READY,
    LandState.NONE,
)


def landings(run: Run) -> dict[str, LandState]:
    return {session.task: session.landing for session in run.sessions}


def on(stage: Stage, branch: str) -> set[str]:
    return set(stage.repo.git("ls-tree", "-r", "--name-only", branch).splitlines())


def appends(line: str) -> AgentChoice:
    return scripted(Shell(f"echo {line} >> README.md"), Say(f"appended {line}"))


class Trials:
    """A verify command that notes each trial of a merge, and can be made to wait in it."""

    def __init__(self, folder: Path) -> None:
        self._file, self._gate = folder / "trials", folder / "gate"

    def verify(self, *, waits: bool) -> str:
        wait = f"while [ ! -e {self._gate} ]; do sleep 0.02; done" if waits else ":"
        return f"case $PWD in */.landing*) git log -1 --format=%s >> {self._file}; {wait};; esac"

    def expect(self, count: int) -> None:
        eventually(lambda: len(self.seen()) >= count, f"{count} trials")

    def seen(self) -> list[str]:
        return self._file.read_text().splitlines() if self._file.exists() else []

    def go_on(self) -> None:
        self._gate.touch()


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    return Trials(tmp_path)


def test_three_sessions_are_landed_one_after_another(
    shared_stage_on_both: Stage, trials: Trials
) -> None:
    stage = shared_stage_on_both
    stage.repo.write({"src/app.py": "edited by the user\n", "mine.txt": "untracked\n"})
    names = ("one", "two", "three")
    tasks = [task(n, writes(f"{n}.txt"), verify=trials.verify(waits=False)) for n in names]
    read_only = task("looks", scripted(Say("fine")), changes=False)
    last = task("last", writes("last.txt"), needs=("looks", "one"))
    run = stage.run(*tasks, read_only, last, land=LandMode.MERGE)
    assert run.state is RunState.DONE, [(s.id, s.landing, s.reason) for s in run.sessions]
    assert landings(run) == dict.fromkeys((*names, "last"), LANDED) | {"looks": NONE}
    assert {f"{name}.txt" for name in names} <= on(stage, "main")
    assert stage.repo.git("rev-parse", "main") == run.sessions[-1].landed
    # One commit for each, with the trailers of its session.
    shape = "--format=%s|%(trailers:key=Abreast-Session,valueonly,separator=%x2C)"
    made = stage.repo.git("log", shape, f"{run.base_sha}..main").splitlines()
    assert made == [f"{s.produces}|{s.id}" for s in reversed(run.sessions) if s.commit]
    assert stage.repo.git("rev-list", "--merges", "main") == ""
    assert len(trials.seen()) == 3
    # The checkout came along, and kept what the user had changed in it.
    assert (stage.repo.path / "last.txt").exists()
    assert stage.repo.git("status", "--porcelain") == "M src/app.py\n?? mine.txt"

    # Once more: nothing is left to do, and nothing happens.
    before = stage.repo.git("rev-parse", "main")
    again = api.land(run.id, places=stage.places)
    assert (again.state, landings(again)) == (RunState.DONE, landings(run))
    assert [s.landed for s in again.sessions] == [s.landed for s in run.sessions]
    assert stage.repo.git("rev-parse", "main") == before
    assert len(trials.seen()) == 3


def test_a_target_that_nobody_has_checked_out_is_moved(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.git("checkout", "-q", "-b", "elsewhere")
    path = stage.repo.path
    before = marks_of(path), shared_by(path)
    run = stage.run(task("one", writes("one.txt")), task("two", writes("two.txt")))
    after = api.land(f"{run.id}/two", target="main", places=stage.places)
    assert landings(after) == {"one": NONE, "two": LANDED}
    assert after.state is RunState.DONE  # all that was asked for has happened
    after = api.land(run.id, places=stage.places)
    assert landings(after) == {"one": LANDED, "two": LANDED}
    assert {"one.txt", "two.txt"} <= on(stage, "main")
    assert (marks_of(path), shared_by(path)) == before


def test_an_edit_in_the_way_parks_the_landing(shared_stage: Stage) -> None:
    stage, path = shared_stage, shared_stage.repo.path
    stage.repo.write({"src/app.py": "edited by the user\n"})
    before = marks_of(path)
    change = scripted(Edit("src/app.py", "hello", "good day"), Say("done"))
    run = stage.run(task("overlaps", change), task("fits", writes("fits.txt")), land=LandMode.MERGE)
    assert landings(run) == {"overlaps": READY, "fits": LANDED}
    assert run.state is RunState.FAILED
    parked = run.sessions[0]
    assert "main is checked out, and was left as it is" in parked.reason
    assert "src/app.py" in parked.reason
    assert parked.hint == (
        f"commit your changes there or move them away, then: abreast land {parked.id}"
    )
    assert (path / "src/app.py").read_text() == "edited by the user\n"
    assert stage.repo.git("stash", "list") == ""
    assert stage.repo.git("rev-parse", f"refs/abreast/ready/{parked.id}") == parked.landed
    assert marks_of(path) != before  # by the one that fits

    stage.repo.git("checkout", "-q", "src/app.py")  # the hint, followed
    after = api.land(parked.id, places=stage.places)
    assert (after.state, landings(after)["overlaps"]) == (RunState.DONE, LANDED)
    assert "good day" in (path / "src/app.py").read_text()


def test_conflicts_and_red_merges_bounce_and_the_queue_goes_on(shared_stage_on_both: Stage) -> None:
    stage = shared_stage_on_both
    stage.repo.commit("lib", {"lib.sh": "old() { echo ok; }\n", "use.sh": ". ./lib.sh\n"})
    verify = "sh -e use.sh"
    run = stage.run(
        task("first", appends("first"), verify=verify),
        task("conflicts", appends("second"), verify=verify),
        task(
            "renames",
            scripted(Write("lib.sh", "new() { echo ok; }\n"), Say("renamed")),
            verify=verify,
        ),
        task(
            "calls-the-old-name",
            scripted(Write("use.sh", ". ./lib.sh\nold\n"), Say("calls it")),
            verify=verify,
        ),
        task("needs-it", writes("more.txt"), needs=("calls-the-old-name",), verify=verify),
        task("last", writes("last.txt"), verify=verify),
    )
    run = api.land(run.id, options=LandOptions(LandOrder.AS_GIVEN), places=stage.places)
    assert [session.state for session in run.sessions] == [SessionState.DONE] * 6
    assert landings(run) == {
        "first": LANDED,
        "conflicts": BOUNCED,
        "renames": LANDED,
        "calls-the-old-name": BOUNCED,
        "needs-it": BOUNCED,
        "last": LANDED,
    }
    of = {session.task: session for session in run.sessions}
    assert of["conflicts"].reason == "conflicts with main in README.md"
    assert of["calls-the-old-name"].reason.startswith("on the merge with main, verify failed: ")
    assert "old: not found" in of["calls-the-old-name"].reason
    assert of["needs-it"].reason == (
        "needs calls-the-old-name, which has not landed: it is bounced"
    )
    assert run.state is RunState.FAILED
    assert stage.repo.git("show", "main:README.md").endswith("first")
    assert stage.repo.git("show", "main:use.sh") == ". ./lib.sh"
    assert stage.repo.git("status", "--porcelain") == ""


def test_a_target_that_moves_meanwhile_is_merged_again(shared_stage: Stage, trials: Trials) -> None:
    stage = shared_stage
    # Not a fast-forward even at first.
    run = stage.run(task("one", writes("one.txt"), verify=trials.verify(waits=True)))
    stage.repo.commit("before", {"before.txt": "x"})
    waiting = Landing(stage, run.id)
    trials.expect(1)
    moved = stage.repo.commit("meanwhile", {"meanwhile.txt": "x"})
    trials.go_on()
    after = waiting.result()
    assert landings(after) == {"one": LANDED}
    assert len(trials.seen()) == 2
    assert stage.repo.git("rev-parse", "main^1") == moved
    assert {"before.txt", "meanwhile.txt", "one.txt"} <= on(stage, "main")


class Landing:
    """A landing that is asked for and not waited for yet."""

    def __init__(self, stage: Stage, run: str) -> None:
        self._stage, self._run = stage, run
        with connect(stage.places) as client:
            sessions = api.find_run(run, places=stage.places).sessions
            client.request_landing(run, sessions, LandMode.MERGE, "")

    def result(self) -> Run:
        return self._stage.wait(self._run)


def test_a_worker_killed_in_mid_landing_is_followed_by_one_that_lands_once(
    stage: Stage, trials: Trials
) -> None:
    run = stage.run(
        task("one", writes("one.txt"), verify=trials.verify(waits=True)),
        task("two", writes("two.txt")),
    )
    stage.repo.commit("meanwhile", {"meanwhile.txt": "x"})
    waiting = Landing(stage, run.id)
    trials.expect(1)
    stage.restart_worker()
    trials.go_on()
    assert landings(waiting.result()) == {"one": LANDED, "two": LANDED}
    assert len(trials.seen()) == 1  # the trial that was under way was adopted
    made = stage.repo.git("log", "--format=%s", f"{run.base_sha}..main").splitlines()
    assert sorted(made) == ["meanwhile", "one is there.", "two is there."]


@pytest.mark.parametrize("moment", ["prepared", "committed"])
def test_a_worker_killed_while_it_moves_a_checkout_lands_once(
    shared_stage: Stage, tmp_path: Path, moment: str
) -> None:
    """A hook of git's kills it, before the branch moves or right after."""
    stage, once = shared_stage, tmp_path / "once"
    run = stage.run(task("one", writes("one.txt")), task("two", writes("two.txt")))
    hook = stage.repo.path / ".git/hooks/reference-transaction"
    worker = "$(sed -n 's/^PPid:.//p' /proc/$PPID/status)"
    hook.write_text(
        f'#!/bin/sh\n[ "$1" = {moment} ] && grep -q refs/heads/main && mkdir {once} || exit 0\n'
        f"kill -9 {worker}\n"
    )
    hook.chmod(0o755)
    stage.repo.write({"src/app.py": "edited by the user\n", "mine.txt": "untracked\n"})
    waiting = Landing(stage, run.id)
    eventually(once.exists, "the hook has killed the worker")
    assert landings(waiting.result()) == {"one": LANDED, "two": LANDED}
    assert stage.repo.git("status", "--porcelain") == "M src/app.py\n?? mine.txt"
    assert {"one.txt", "two.txt"} <= on(stage, "main")
    assert list(stage.places.forwards.glob("*.json")) == []
    commits = stage.repo.git("log", "--format=%s", "--first-parent", "main").splitlines()
    assert len(commits) == 3


def test_a_failure_after_the_move_does_not_undo_the_news(shared_stage: Stage) -> None:
    """A hook kills git as soon as the branch has moved: git has failed, and the work is there."""
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt")))
    stage.repo.git("checkout", "-q", "--detach")
    hook = stage.repo.path / ".git/hooks/reference-transaction"
    hook.write_text(
        '#!/bin/sh\n[ "$1" = committed ] && grep -q refs/heads/main && kill -9 $PPID\n:\n'
    )
    hook.chmod(0o755)
    [session] = api.land(run.id, places=stage.places).sessions
    assert (session.landing, session.landed) == (LANDED, session.commit)
    assert session.reason.startswith("main has it; afterwards: ")
    assert "one.txt" in on(stage, "main")


def test_two_runs_take_turns_on_one_target(
    shared_stage_on_both: Stage, trials: Trials, tmp_path: Path
) -> None:
    stage = shared_stage_on_both
    linked = tmp_path / "linked"
    stage.repo.git("worktree", "add", "-q", "-b", "elsewhere", str(linked))
    first = stage.run(task("one", writes("one.txt"), verify=trials.verify(waits=True)))
    with connect(stage.places) as client:
        verify = trials.verify(waits=False)
        plan = stage.plan(task("two", writes("two.txt"), verify=verify), target="main")
        second = stage.wait(client.start(replace(plan, repo=str(linked))).id)
    waiting = Landing(stage, first.id)
    trials.expect(1)
    other = Landing(stage, second.id)
    # The worker has taken the second request up, and it waits for the first.
    third = stage.run(task("three", writes("three.txt")))
    assert third.state is RunState.DONE
    assert len(trials.seen()) == 1
    assert landings(api.find_run(second.id, places=stage.places)) == {"two": LandState.QUEUED}
    trials.go_on()
    assert landings(waiting.result()) == {"one": LANDED}
    assert landings(other.result()) == {"two": LANDED}
    assert {"one.txt", "two.txt"} <= on(stage, "main")


def test_targets_with_names_alike_are_tested_apart(shared_stage: Stage, trials: Trials) -> None:
    stage = shared_stage
    stage.repo.git("branch", "rel/x")
    stage.repo.git("branch", "rel-x")
    names = {"one": "rel/x", "two": "rel-x"}
    runs = {
        name: stage.run(
            task(name, writes(f"{name}.txt"), verify=trials.verify(waits=True)), target=target
        )
        for name, target in names.items()
    }
    waiting = {name: Landing(stage, run.id) for name, run in runs.items()}
    trials.expect(2)  # both are in their trials at once
    trials.go_on()
    for name, target in names.items():
        assert landings(waiting[name].result()) == {name: LANDED}
        assert on(stage, target) - on(stage, "main") == {f"{name}.txt"}
    assert len(trials.seen()) == 2


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("git commit -q --allow-empty -m more", "left the commit on trial"),
        (
            "git update-index --skip-worktree README.md; echo more >> README.md",
            'changed what was on trial: "README.md"',
        ),
    ],
)
def test_what_lands_is_what_was_tested(shared_stage: Stage, deed: str, reason: str) -> None:
    stage = shared_stage
    verify = f"case $PWD in */.landing*) {deed};; esac"
    run = stage.run(task("one", writes("one.txt"), verify=verify), land=LandMode.MERGE)
    assert landings(run) == {"one": BOUNCED}
    assert f"on the merge with main, verify {reason}" in run.sessions[0].reason
    assert "one.txt" not in on(stage, "main")


def test_files_that_differ_as_checked_out_are_no_change(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one"), verify="true"))
    (stage.repo.path / "dos.txt").write_bytes(b"one\r\n")
    stage.repo.git("add", "dos.txt")
    stage.repo.write({".gitattributes": "*.txt text\n"})
    stage.repo.git("add", ".gitattributes")
    stage.repo.git("commit", "-qm", "a blob that git would write otherwise")
    (stage.repo.path / "dos.txt").write_bytes(b"one\r\n")  # git looks once more
    assert stage.repo.git("status", "--porcelain") == "M dos.txt"
    [session] = api.land(run.id, places=stage.places).sessions
    assert session.landing is LANDED, session.reason


def test_a_landing_can_be_stopped(shared_stage: Stage, trials: Trials) -> None:
    stage = shared_stage
    run = stage.start(
        task("one", writes("one.txt"), verify=trials.verify(waits=True)),
        task("two", writes("two.txt"), verify=trials.verify(waits=True)),
        land=LandMode.MERGE,
    )
    trials.expect(1)
    stopped = api.stop(run.id, places=stage.places)
    assert {session.task for session in stopped} == {"one", "two"}
    after = stage.wait(run.id)
    assert (after.state, landings(after)) == (RunState.STOPPED, {"one": NONE, "two": NONE})
    assert {session.reason for session in after.sessions} == {"its landing was stopped by you"}
    assert "one.txt" not in on(stage, "main")
    trials.go_on()
    api.retry(f"{run.id}/one", places=stage.places)  # the stop was of that landing alone
    assert landings(stage.wait(run.id))["one"] is LANDED
    after = api.land(run.id, places=stage.places)
    assert (after.state, landings(after)) == (RunState.DONE, {"one": LANDED, "two": LANDED})


def test_setup_runs_on_the_merge_and_stays_for_verify(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.commit("ignore", {".gitignore": "deps/\n"})
    run = stage.run(
        *(
            task(
                name,
                writes(f"{name}.txt"),
                setup="mkdir -p deps; echo dep >> deps/list; touch plain.txt",
                verify="test -e deps/list && test -e plain.txt",
            )
            for name in ("one", "two")
        ),
        land=LandMode.MERGE,
    )
    assert landings(run) == {"one": LANDED, "two": LANDED}, [s.reason for s in run.sessions]


def test_what_was_squashed_into_the_target_by_hand_has_landed(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt")))
    stage.repo.commit("more", {"more.txt": "x"})
    stage.repo.git("merge", "-q", "--squash", run.sessions[0].branch)
    stage.repo.git("commit", "-qm", "squashed by hand")
    before = stage.repo.git("rev-parse", "main")
    assert landings(api.land(run.id, places=stage.places)) == {"one": LANDED}
    assert stage.repo.git("rev-parse", "main") == before


def test_what_cannot_be_landed_is_refused_with_a_reason(shared_stage: Stage) -> None:
    stage = shared_stage
    gate = stage.repo.path.parent / "gate"
    waits = until(gate)
    running = stage.start(task("slow", scripted(waits, Write("slow.txt", "x"))))
    stage.repo.git("checkout", "-q", "--detach")
    run = stage.run(task("red", writes("red.txt"), verify="false"), task("good", writes("g.txt")))

    def refused(name: str, target: str = "") -> str:
        with pytest.raises(StateError) as error:
            api.land(name, target=target, places=stage.places)
        return error.value.message

    assert refused(running.id).startswith(f"run {running.id} has not ended: it is running")
    assert refused(f"{run.id}/red") == (
        f"nothing to land: there is no finished commit of {run.id}/red"
    )
    assert refused(run.id, "no-such-branch") == "there is no local branch no-such-branch"
    assert refused(run.id, "..") == "'..' is not a branch name"
    assert api.find_run(run.id, places=stage.places) == run
    after = api.land(run.id, places=stage.places)  # on the base, main
    assert landings(after) == {"red": NONE, "good": LANDED}
    assert not (stage.places.runs / run.id / "environment.json").exists()
    gate.touch()
    assert stage.wait(running.id).state is RunState.DONE


def test_a_driver_that_drops_everything_lands_nothing(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.git("config", "merge.ours.driver", "true")
    run = stage.run(task("one", scripted(Write("README.md", "theirs\n"), Say("done"))))
    stage.repo.commit("mine", {"README.md": "mine\n", ".gitattributes": "* merge=ours\n"})
    before = stage.repo.git("rev-parse", "main")
    [session] = api.land(run.id, places=stage.places).sessions
    assert session.landing is BOUNCED
    assert session.reason == (
        "a merge driver keeps main as it is: nothing of the session would land"
    )
    assert stage.repo.git("rev-parse", "main") == before
    [removal] = api.clean([run.id], places=stage.places)
    assert removal.kept == "not landed"


def test_a_driver_may_not_lose_or_double_what_a_side_has_added(shared_stage: Stage) -> None:
    """The union of both sides lands; a driver that keeps one, or writes lines twice, bounces."""
    stage = shared_stage
    stage.repo.git("config", "merge.ours.driver", "true")
    stage.repo.git("config", "merge.twice.driver", "cat %B >> %A; cat %B >> %A")
    names = ("union", "ours", "twice")
    attributes = "".join(f"{name}.txt merge={name}\n" for name in names)
    texts = {f"{name}.txt": "first\n" for name in names}
    stage.repo.commit("drivers", {".gitattributes": attributes, **texts})
    add = [
        task(name, scripted(Shell(f"echo {name}-line >> {name}.txt; touch {name}"), Say("done")))
        for name in names
    ]
    run = stage.run(*add)
    stage.repo.commit("mine", {f"{name}.txt": "first\nmine\n" for name in names})
    of = {s.task: s for s in api.land(run.id, places=stage.places).sessions}
    assert of["union"].landing is LANDED
    assert stage.repo.git("show", "main:union.txt").split() == ["first", "mine", "union-line"]
    assert (of["ours"].landing, of["twice"].landing) == (BOUNCED, BOUNCED)
    what = "a merge driver does not keep both sides in"
    assert of["ours"].reason == f"{what} \"ours.txt\": 'ours-line' is gone"
    assert of["twice"].reason == f"{what} \"twice.txt\": 'twice-line' is there too often"
    assert of["ours"].hint == f"merge it by hand: abreast attach {of['ours'].id}"
    assert stage.repo.git("show", "main:ours.txt").split() == ["first", "mine"]
