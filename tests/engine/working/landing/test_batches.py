"""Sessions that land together: one verify for all of them, and a bad one costs only its own."""

from pathlib import Path

import pytest

from abreast import api
from abreast.model.landing import LandOptions
from abreast.model.moves import Shell, Write
from abreast.model.session import LandMode, LandOrder, LandState, LandTests, Run, RunState
from tests.cli.test_edge import abreast
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, writes

LANDED, BOUNCED = LandState.LANDED, LandState.BOUNCED
GIVEN = LandOrder.AS_GIVEN


def landings(run: Run) -> dict[str, LandState]:
    return {session.task: session.landing for session in run.sessions}


def subjects(stage: Stage, since: str) -> list[str]:
    return stage.repo.git("log", "--reverse", "--format=%s", f"{since}..main").splitlines()


class Runs:
    """A verify command that notes on which files each trial of a merge has run."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "runs"

    def verify(self, condition: str = ":") -> str:
        note = f"ls *.txt | sed 's/.txt//' | paste -sd, >> {self.file}"
        return f"case $PWD in */.landing*) {note}; {condition};; esac"

    def seen(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_a_batch_is_tested_once(shared_stage_on_both: Stage, runs: Runs) -> None:
    stage = shared_stage_on_both
    names = ("a", "b", "c", "d")
    tasks = [task(n, writes(f"{n}.txt"), verify=runs.verify()) for n in names]
    last = task("e", writes("e.txt"), needs=("a",), verify=runs.verify())
    run = stage.run(*tasks, last, land=LandMode.MERGE, batch=8)
    assert landings(run) == dict.fromkeys((*names, "e"), LANDED), [s.reason for s in run.sessions]
    assert runs.seen() == ["a,b,c,d,e"]
    made = subjects(stage, run.base_sha)
    assert sorted(made) == [f"{name} is there." for name in (*names, "e")]
    assert made.index("a is there.") < made.index("e is there.")
    told = {s.landed: s.id for s in run.sessions}
    shape = "--format=%H %(trailers:key=Abreast-Session,valueonly)"
    lines = stage.repo.git("log", shape, f"{run.base_sha}..main").split()
    assert dict(zip(lines[::2], lines[1::2], strict=True)) == told
    moves = stage.repo.git("reflog", "--format=%gs", "main").splitlines()
    assert len([line for line in moves if line.startswith("abreast: land")]) == 1


def test_a_bad_one_costs_its_own_bounce_and_nobody_elses(shared_stage: Stage, runs: Runs) -> None:
    stage = shared_stage
    names = ("a", "b", "bad", "d", "e")
    verify = runs.verify("test ! -e bad.txt")
    run = stage.run(*(task(n, writes(f"{n}.txt"), verify=verify) for n in names))
    options = LandOptions(GIVEN, batch=8)
    after = api.land(run.id, options=options, places=stage.places)
    assert landings(after) == dict.fromkeys(names, LANDED) | {"bad": BOUNCED}
    bad = after.sessions[2]
    assert bad.reason.startswith("on the merge with main, verify failed: ")
    assert bad.reason.endswith("; tried twice")
    assert subjects(stage, run.base_sha) == [f"{n} is there." for n in ("a", "b", "d", "e")]
    assert runs.seen() == [
        "a,b,bad,d,e",
        "a,b,bad,d,e",  # once more
        "a,b",
        "a,b,bad",
        "a,b,bad",  # it alone, on the target as it is then: its first result is known
        "a,b,d,e",
    ]


def test_each_commit_can_be_tested(shared_stage: Stage, runs: Runs) -> None:
    stage = shared_stage
    names = ("a", "b", "c")
    run = stage.run(*(task(n, writes(f"{n}.txt"), verify=runs.verify()) for n in names))
    options = LandOptions(GIVEN, 8, LandTests.EACH)
    assert set(landings(api.land(run.id, options=options, places=stage.places)).values()) == {
        LANDED
    }
    assert runs.seen() == ["a", "a,b", "a,b,c"]


def test_a_flaky_one_lands_and_is_told(shared_stage: Stage, runs: Runs, tmp_path: Path) -> None:
    stage, once = shared_stage, tmp_path / "once"
    run = stage.run(
        task("one", writes("one.txt"), verify=runs.verify(f"! mkdir {once} 2> /dev/null"))
    )
    stage.repo.commit("meanwhile", {"meanwhile.md": "x"})
    [session] = api.land(run.id, places=stage.places).sessions
    assert session.landing is LANDED, session.reason
    assert session.reason.startswith("flaky: verify failed: ")
    assert session.reason.endswith("; tried again, it passed")
    assert stage.events(session.id, "flaky") == [session.reason]
    assert runs.seen() == ["one", "one"]


def test_those_that_conflict_in_a_batch_wait_for_the_next(shared_stage: Stage, runs: Runs) -> None:
    stage = shared_stage
    run = stage.run(
        task("a", writes("same.txt", "a\n"), verify=runs.verify()),
        task("b", writes("same.txt", "b\n"), verify=runs.verify()),
        task("c", writes("c.txt"), verify=runs.verify()),
    )
    options = LandOptions(GIVEN, batch=8)
    after = api.land(run.id, options=options, places=stage.places)
    assert landings(after) == {"a": LANDED, "b": BOUNCED, "c": LANDED}
    assert after.sessions[1].reason == "conflicts with main in same.txt"
    assert runs.seen() == ["c,same"]


def test_all_that_waits_on_a_target_lands_in_one_turn(
    shared_stage_on_both: Stage, runs: Runs, tmp_path: Path
) -> None:
    """What was asked for while another landing was at work is one queue, whichever run it is of."""
    stage, gate = shared_stage_on_both, tmp_path / "gate"
    waits = runs.verify(f"while [ ! -e {gate} ]; do sleep 0.02; done")
    first = stage.run(task("first", writes("first.txt"), verify=waits))
    large = stage.run(task("large", writes("large.txt", "1\n2\n3\n"), verify=runs.verify()))
    small = stage.run(task("small", writes("small.txt"), verify=runs.verify()))
    for run in (first, large, small):
        api.request_landing(run.id, LandMode.MERGE, places=stage.places)
        eventually(lambda: len(runs.seen()) >= 1, "the first one is on trial")
    gate.touch()
    for run in (first, large, small):
        assert set(landings(stage.wait(run.id)).values()) == {LANDED}
    assert subjects(stage, first.base_sha) == [
        "first is there.",
        "small is there.",
        "large is there.",
    ]


def test_a_killed_worker_lands_a_batch_once(stage: Stage, runs: Runs, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    names = ("a", "b", "bad", "d")
    verify = runs.verify(f"while [ ! -e {gate} ]; do sleep 0.02; done; test ! -e bad.txt")
    run = stage.run(*(task(n, writes(f"{n}.txt"), verify=verify) for n in names), batch=4)
    api.request_landing(run.id, LandMode.MERGE, options=LandOptions(GIVEN), places=stage.places)
    eventually(lambda: len(runs.seen()) >= 1, "the batch is on trial")
    stage.restart_worker()
    gate.touch()
    eventually(lambda: len(runs.seen()) >= 3, "halves are on trial")
    stage.restart_worker()
    after = stage.wait(run.id)
    assert landings(after) == dict.fromkeys(names, LANDED) | {"bad": BOUNCED}
    assert subjects(stage, run.base_sha) == [f"{n} is there." for n in ("a", "b", "d")]


def test_a_dry_run_tells_what_will_happen(shared_stage: Stage, runs: Runs) -> None:
    stage = shared_stage
    run = stage.run(
        task("large", writes("large.txt", "1\n2\n"), verify=runs.verify()),
        task("b", writes("same.txt", "b\n"), verify=runs.verify()),
        task("needs-b", writes("c.txt"), needs=("b",), verify=runs.verify()),
        task("other", writes("large.txt", "1\n2\n3\n"), verify=runs.verify()),
    )
    moved = stage.repo.commit("meanwhile", {"same.txt": "x"})
    before = stage.repo.git("for-each-ref"), stage.repo.git("count-objects", "-v")
    found = api.forecast_landing(run.id, places=stage.places)
    assert (stage.repo.git("for-each-ref"), stage.repo.git("count-objects", "-v")) == before
    ids = {name: f"{run.id}/{name}" for name in ("large", "b", "needs-b", "other")}
    assert [(one.session, one.outcome, one.commits, one.reason) for one in found] == [
        (ids["b"], BOUNCED, (), "conflicts with main in same.txt"),
        (ids["needs-b"], BOUNCED, (), "needs b, which has not landed: it will bounce"),
        (ids["large"], LANDED, ("large is there.",), ""),
        (ids["other"], BOUNCED, (), "conflicts with main in large.txt"),
    ]
    assert found[2].conflicts == (ids["other"],)
    assert runs.seen() == []
    # And so it comes.
    after = api.land(run.id, places=stage.places)
    assert subjects(stage, moved) == ["large is there."]
    assert landings(after) == {one.session.partition("/")[2]: one.outcome for one in found}


def test_a_dry_run_tells_which_are_tested_together(
    shared_stage: Stage, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = shared_stage
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    monkeypatch.setenv("ABREAST_DB", stage.places.database)
    verify, other = runs.verify(), runs.verify("true")
    run = stage.run(
        task("a", writes("a.txt"), verify=verify),
        task("clash", writes("a.txt", "else\n"), verify=verify),
        task("alone", writes("alone.txt"), verify=other),
        task("b", writes("b.txt"), verify=verify),
        task("c", writes("c.txt"), verify=verify),
    )
    asked = LandOptions(GIVEN, batch=3)
    found = api.forecast_landing(run.id, options=asked, places=stage.places)
    said = [(one.session.partition("/")[2], one.outcome, one.batch) for one in found]
    assert said == [
        ("a", LANDED, 1),
        ("b", LANDED, 1),
        ("clash", BOUNCED, 0),
        ("c", LANDED, 2),
        ("alone", LANDED, 3),
    ]
    printed = abreast("land", run.id, "--dry-run", "--batch", "3", "--order", "as-given").stdout
    lines = printed.splitlines()
    assert lines[lines.index(next(s for s in lines if s.startswith(f"1. {run.id}/a"))) + 1] == (
        "   tested together with 2"
    )
    assert printed.count("tested together") == 2
    after = api.land(run.id, options=asked, places=stage.places)
    assert subjects(stage, run.base_sha) == [f"{n} is there." for n in ("a", "b", "c", "alone")]
    assert landings(after)["clash"] == BOUNCED
    assert runs.seen() == ["a,b", "a,b,c", "a,alone,b,c"]


def test_a_red_target_is_nobodys_fault(shared_stage: Stage, runs: Runs) -> None:
    """It is told with its command, nobody bounces, and what mends it can land by itself."""
    stage = shared_stage
    verify = runs.verify("test ! -e broken.txt")
    mends = scripted(Shell("git rm -q --ignore-unmatch broken.txt"), Write("mend.txt", "x\n"))
    tasks = [task(n, writes(f"{n}.txt"), verify=verify, repairs=1) for n in ("a", "b", "c")]
    run = stage.run(*tasks)
    stage.repo.commit("break it", {"broken.txt": "x\n"})
    broken = stage.repo.git("rev-parse", "main")
    after = api.land(run.id, options=LandOptions(GIVEN, batch=2), places=stage.places)
    assert set(landings(after).values()) == {LandState.NONE}
    # The batch, its first member, and the target, each twice: nothing more, for all three.
    assert runs.seen() == ["a,b,broken"] * 2 + ["a,broken"] * 2 + ["broken"] * 2
    for session in after.sessions:
        assert session.reason.startswith(f"main itself is red, without this: `{verify}`")
        assert session.hint.endswith(f"abreast land {session.id}")
        assert session.repairs == 0
    assert stage.repo.git("rev-parse", "main") == broken
    mended = stage.run(task("mend", mends, verify=verify), land=LandMode.MERGE)
    assert set(landings(mended).values()) == {LANDED}
    again = api.land(run.id, options=LandOptions(GIVEN, batch=2), places=stage.places)
    assert set(landings(again).values()) == {LANDED}


def test_a_batch_is_of_all_runs_of_a_target(shared_stage: Stage, runs: Runs) -> None:
    """What is tested alike is tested together, and who needs what counts within a run."""
    stage = shared_stage
    verify = runs.verify("test ! -e bad.txt")
    made = [
        stage.run(
            task("a", writes(f"a{n}.txt"), verify=verify),
            task("b", writes(f"b{n}.txt"), needs=("a",), verify=verify),
            *([task("bad", writes("bad.txt"), verify=verify)] if n else []),
            batch=8,
        )
        for n in (0, 1)
    ]
    other = stage.run(task("other", writes("other.txt"), verify=runs.verify()), batch=8)
    for run in (*made, other):
        api.request_landing(run.id, LandMode.MERGE, places=stage.places)
    first, second, third = (stage.wait(run.id) for run in (*made, other))
    assert landings(first) == {"a": LANDED, "b": LANDED}
    assert landings(second) == {"a": LANDED, "b": LANDED, "bad": BOUNCED}
    assert landings(third) == {"other": LANDED}
    assert (first.state, second.state) == (RunState.DONE, RunState.FAILED)
    at = {one.landed: one.id for run in (first, second, third) for one in run.sessions}
    lines = stage.repo.git("log", "--reverse", "--format=%H", f"{made[0].base_sha}..main")
    order = [at[line] for line in lines.splitlines()]
    assert len(order) == 5
    for run in made:
        assert order.index(f"{run.id}/a") < order.index(f"{run.id}/b")


def test_a_stop_does_not_wait_for_the_trial_of_another_run(
    shared_stage: Stage, runs: Runs, tmp_path: Path
) -> None:
    """One that waits in the turn of another run, and one whose own turn has not begun."""
    stage, first_gate, gate = shared_stage, tmp_path / "first", tmp_path / "gate"
    slow = runs.verify(f"while [ ! -e {first_gate} ]; do sleep 0.02; done")
    slower = runs.verify(f"while [ ! -e {gate} ]; do sleep 0.02; done")
    first = stage.run(task("first", writes("first.txt"), verify=slow))
    second = stage.run(task("second", writes("second.txt"), verify=slower))
    third = stage.run(task("third", writes("third.txt", "1\n2\n"), verify=slower))
    fourth = stage.run(task("fourth", writes("fourth.txt"), verify=slower))
    api.request_landing(first.id, LandMode.MERGE, places=stage.places)
    eventually(lambda: runs.seen() == ["first"], "it is on trial")
    for run in (second, third):
        api.request_landing(run.id, LandMode.MERGE, places=stage.places)
    first_gate.touch()
    eventually(lambda: runs.seen()[1:] == ["first,second"], "the second turn has begun")
    api.request_landing(fourth.id, LandMode.MERGE, places=stage.places)
    for run in (third, fourth):
        api.stop(run.id, places=stage.places)
        [session] = api.sessions(run.id, places=stage.places)
        assert (session.landing, session.reason) == (
            LandState.NONE,
            "its landing was stopped by you",
        )
    assert api.find_run(second.id, places=stage.places).state is RunState.LANDING
    gate.touch()
    assert landings(stage.wait(second.id)) == {"second": LANDED}
    assert runs.seen() == ["first", "first,second"]


def test_stopping_one_run_leaves_the_others_of_its_batch(
    shared_stage: Stage, runs: Runs, tmp_path: Path
) -> None:
    stage, gate, first_gate = shared_stage, tmp_path / "gate", tmp_path / "first"
    waits = runs.verify(f"while [ ! -e {gate} ]; do sleep 0.02; done")
    both = [stage.run(task(n, writes(f"{n}.txt"), verify=waits), batch=8) for n in ("one", "two")]
    # Both wait when their turn begins: the first of the queue is on trial until then.
    slow = runs.verify(f"while [ ! -e {first_gate} ]; do sleep 0.02; done")
    hold = stage.run(task("slow", writes("slow.txt"), verify=slow))
    api.request_landing(hold.id, LandMode.MERGE, places=stage.places)
    eventually(lambda: runs.seen() == ["slow"], "it is on trial")
    for run in both:
        api.request_landing(run.id, LandMode.MERGE, places=stage.places)
    first_gate.touch()
    eventually(lambda: runs.seen()[1:] == ["one,slow,two"], "both are on trial together")
    api.stop(both[1].id, places=stage.places)
    gate.touch()
    one, two = (stage.wait(run.id) for run in both)
    assert (landings(one), landings(two)) == ({"one": LANDED}, {"two": LandState.NONE})
    assert "two.txt" not in stage.repo.git("ls-tree", "--name-only", "main")
