"""Hooks at a landing: the target's, or the user's from when the run began; with real git."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.common.layout import landing_stop_file
from abreast.engine.working.landing import hooks as hooking
from abreast.engine.working.session.context import open_context
from abreast.engine.working.session.jobs import Order
from abreast.model.landing import LandOptions
from abreast.model.moves import EndTurn, Say, Write
from abreast.model.session import LandState, LandStyle, Run, Session
from tests.engine.working.landing.queue_world import START, Change, Killed, QueueWorld
from tests.support.repos import Repo, make_repo
from tests.support.stage import Stage, scripted, task

LANDED, BOUNCED = LandState.LANDED, LandState.BOUNCED
PRE, MSG = "pre-commit", "commit-msg"
CONFIG = ".pre-commit-config.yaml"


class Hooks:
    """A repository with hooks, before and after its run begins."""

    def __init__(self, folder: Path, opened: Callable[[Repo], QueueWorld]) -> None:
        self.repo = make_repo(folder / "repo", START)
        self.said = folder / "said"
        self._opened = opened
        self.world: QueueWorld | None = None

    def write(self, name: str, text: str, folder: str = ".git/hooks") -> None:
        file = self.repo.path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def track(self, name: str, text: str, folder: str = ".githooks") -> None:
        """Commit a hook to the work tree, and have git run what lies there."""
        self.repo.git("config", "core.hooksPath", folder)
        self.write(name, text, folder)
        self.repo.git("add", "-A")
        self.repo.git("commit", "-qnm", "hook")

    def say(self, word: str) -> str:
        return f"echo {word} >> {self.said}"

    def run(self, *changes: Change, style: LandStyle = LandStyle.SQUASH, batch: int = 1) -> Run:
        self.world = self.world or self._opened(self.repo)
        return self.world.add_run(changes, style, batch)

    def land(self, run: Run) -> list[Session]:
        assert self.world is not None
        return list(self.world.land(run).values())

    def lands(self, run: Run) -> None:
        assert [(s.landing, s.reason) for s in self.land(run)] == [(LANDED, "")] * len(run.sessions)

    def heard(self) -> list[str]:
        return self.said.read_text().split() if self.said.exists() else []

    def shown(self, what: str) -> str:
        return self.repo.git("show", what)


@pytest.fixture
def hooks(tmp_path: Path, opened: Callable[[Repo], QueueWorld]) -> Hooks:
    return Hooks(tmp_path, opened)


def test_the_users_hooks_see_the_candidate_as_git_commit_would_show_it(hooks: Hooks) -> None:
    seen = (
        'echo "$PWD" "$(git rev-parse --show-toplevel)"; git diff --cached --name-only;'
        'git log -1 --format=%s; cat "$(dirname "$0")/lib/words"; env'
    )
    hooks.write(PRE, f"{{ {seen}; }} > {hooks.said}")
    words_file = hooks.repo.path / ".git/hooks/lib/words"
    words_file.parent.mkdir()
    words_file.write_text("beside it\n")
    run = hooks.run(Change())
    hooks.repo.commit("moved", {"moved.txt": "x\n"})
    hooks.said.unlink()  # that commit ran it as well
    hooks.lands(run)
    lines = hooks.said.read_text().splitlines()
    place, top = lines[0].split()
    assert place == top != str(hooks.repo.path)
    assert lines[1:4] == ["own-r1-t0", "moved", "beside it"]
    index = next(line for line in lines if line.startswith("GIT_INDEX_FILE="))
    assert "/.git/worktrees/" in index
    assert "GIT_EDITOR=:" in lines


def test_what_was_planted_or_changed_during_the_run_never_runs(hooks: Hooks) -> None:
    hooks.write(PRE, hooks.say("users"))
    run = hooks.run(Change())
    hooks.write(PRE, hooks.say("agents"))
    hooks.write(MSG, hooks.say("agents"))
    hooks.lands(run)
    assert hooks.heard() == ["users"]


def test_without_hooks_no_process_is_started(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    run = hooks.run(Change())
    hooks.write(PRE, "exit 1")

    async def none(*_: object) -> None:
        raise AssertionError("a hook ran")

    monkeypatch.setattr(hooking, "run_command", none)
    hooks.lands(run)


def test_a_hook_in_the_work_tree_is_the_targets_until_another_has_landed(hooks: Hooks) -> None:
    hooks.track(PRE, hooks.say("targets"))
    agents = f"#!/bin/sh\n{hooks.say('agents')}\n"
    first = hooks.run(Change(more=((f".githooks/{PRE}", agents), (".githooks/new", "x\n"))))
    hooks.lands(first)
    assert hooks.heard() == ["targets"]
    # It landed as the agent wrote it, beside the rest of its work.
    assert hooks.shown(f"main:.githooks/{PRE}") == agents.strip()
    assert hooks.shown("main:.githooks/new") == "x"
    hooks.repo.git("update-index", "--chmod=+x", f".githooks/{PRE}")  # its mode went with it
    hooks.repo.git("commit", "-qnm", "mode")
    hooks.lands(hooks.run(Change()))
    assert hooks.heard() == ["targets", "agents"]


def test_every_hook_in_the_work_tree_is_the_targets(hooks: Hooks) -> None:
    hooks.track(MSG, hooks.say("targets"))
    hooks.track(PRE, "exit 0")
    agents = f"#!/bin/sh\n{hooks.say('agents')}\n"
    hooks.said.unlink(missing_ok=True)
    hooks.lands(hooks.run(Change(more=((f".githooks/{MSG}", agents),))))
    assert hooks.heard() == ["targets"]


def test_what_a_hook_reads_its_orders_from_is_the_targets(hooks: Hooks) -> None:
    hooks.repo.commit("config", {CONFIG: "targets\n"})
    hooks.write(PRE, f"git show :{CONFIG} >> {hooks.said}; cat {CONFIG} >> {hooks.said}")
    hooks.lands(hooks.run(Change(more=((CONFIG, "agents\n"),))))
    assert hooks.heard() == ["targets", "targets"]
    assert hooks.shown(f"main:{CONFIG}") == "agents"


def test_a_hook_that_is_a_link_into_the_work_tree_is_the_targets(hooks: Hooks) -> None:
    hooks.write("check.sh", hooks.say("targets"), "scripts")
    hooks.repo.commit("script", {})
    (hooks.repo.path / ".git/hooks" / PRE).symlink_to("../../scripts/check.sh")
    hooks.lands(hooks.run(Change(more=(("scripts/check.sh", hooks.say("agents")),))))
    assert hooks.heard() == ["targets"]


def test_files_of_the_hooks_folder_that_no_commit_has_come_along(hooks: Hooks) -> None:
    """As of husky, which makes and ignores the folder that git looks into."""
    hooks.write(PRE, hooks.say("targets"), ".husky")
    hooks.repo.commit("husky", {})
    hooks.write(PRE, f'sh "$(dirname "$(dirname "$0")")/{PRE}"', ".husky/_")
    (hooks.repo.path / ".husky/_/.gitignore").write_text("*\n")
    hooks.repo.git("config", "core.hooksPath", ".husky/_")
    run = hooks.run(Change(more=((f".husky/{PRE}", hooks.say("agents")),)))
    hooks.lands(run)
    assert hooks.heard() == ["targets"]
    # What an agent's verify has left there ignored does not run later.
    [landing] = hooks.repo.path.parent.glob("state-0/worktrees/*/.landing*/.husky/_")
    (landing / MSG).write_text(f"#!/bin/sh\n{hooks.say('planted')}\n")
    (landing / MSG).chmod(0o755)
    hooks.lands(hooks.run(Change()))
    # By now what the first one brought has landed, and counts.
    assert hooks.heard() == ["targets", "agents"]
    assert not (landing / MSG).exists()


def test_what_a_hook_stages_lands_and_what_it_leaves_unstaged_does_not(hooks: Hooks) -> None:
    name = "own-r1-t0"
    hooks.write(
        PRE,
        f"[ -f {name} ] || exit 0; echo formatted > {name}; git add {name}"
        "; echo more > shared-1; touch new",
    )
    hooks.lands(hooks.run(Change()))
    assert hooks.shown(f"main:{name}") == "formatted"
    assert hooks.shown("main:shared-1") == "0"
    assert "new" not in hooks.repo.git("ls-tree", "--name-only", "main").split()
    assert hooks.world is not None
    [[tested, verdict]] = hooks.world.trials()
    assert (tested, verdict) == (hooks.repo.git("rev-parse", "main"), "green")
    events = [event for _, event in hooks.world.reader.events("r1/t0")]
    assert [e.text for e in events if e.kind == "hook"] == [f'pre-commit changed "{name}"']


def test_a_hook_that_fails_bounces_the_session_with_its_output(hooks: Hooks) -> None:
    hooks.write(PRE, "echo not tidy >&2; exit 3")
    run = hooks.run(Change())
    before = hooks.repo.git("rev-parse", "main")
    [session] = hooks.land(run)
    assert session.landing is BOUNCED
    assert session.reason.startswith("the pre-commit hook of main failed: ")
    output = Path(session.hint.removeprefix("its output: "))
    assert "not tidy" in "".join(f.read_text() for f in output.glob("*.jsonl"))
    assert hooks.repo.git("rev-parse", "main") == before
    assert hooks.world is not None
    assert hooks.world.trials() == []  # verify was not asked


def test_the_message_is_as_commit_msg_leaves_it_with_our_trailers(hooks: Hooks) -> None:
    hooks.write(MSG, 'echo "chore: $(head -n1 "$1")" > "$1"')
    hooks.lands(hooks.run(Change()))
    assert hooks.repo.git("log", "-1", "--format=%B", "main").splitlines() == [
        "chore: r1 t0 is there.",
        "",
        "Abreast-Run: r1",
        "Abreast-Session: r1/t0",
    ]


def test_a_message_that_is_not_ascii_stays_as_it_is(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QueueWorld, "words", "est là.")
    hooks.repo.git("config", "i18n.logOutputEncoding", "ISO-8859-1")
    hooks.write(PRE, "echo formatted > own-r1-t0; git add own-r1-t0")
    hooks.write(MSG, f'head -n1 "$1" > {hooks.said}')
    hooks.lands(hooks.run(Change()))
    assert hooks.said.read_text(encoding="utf-8") == "r1 t0 est là.\n"
    shape = ("-c", "i18n.logOutputEncoding=UTF-8", "log", "-1", "--format=%s", "main")
    assert hooks.repo.git(*shape) == "r1 t0 est là."


def test_a_message_that_is_refused_bounces_the_session(hooks: Hooks) -> None:
    hooks.write(MSG, "grep -q '^r1 t1' \"$1\" || { echo subject; exit 1; }")
    first, second = hooks.land(hooks.run(Change(), Change()))
    assert (first.landing, second.landing) == (BOUNCED, LANDED)
    assert first.reason.startswith("the commit-msg hook of main failed: ")


def test_a_slow_hook_meets_the_limit_of_verify(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks.write(PRE, "sleep 600")
    run, made = hooks.run(Change()), hooking._hook_order

    def hasty(*args: object) -> Order:
        order = made(*args)  # type: ignore[arg-type]
        assert order.limits.minutes == 20.0
        return replace(order, limits=replace(order.limits, minutes=0.002))

    monkeypatch.setattr(hooking, "_hook_order", hasty)
    [session] = hooks.land(run)
    assert session.landing is BOUNCED
    assert "the pre-commit hook of main failed: " in session.reason
    assert "minutes" in session.reason


def test_a_landing_can_be_stopped_while_a_hook_runs(hooks: Hooks) -> None:
    hooks.run(Change())
    world = hooks.world
    assert world is not None
    hooks.write(PRE, f"touch {landing_stop_file(world.places, 'r2')}; sleep 600")
    [session] = hooks.land(hooks.run(Change()))
    assert (session.landing, session.reason) == (LandState.NONE, "its landing was stopped by you")


def test_each_of_a_batch_passes_its_hooks_before_the_next_is_put_onto_it(hooks: Hooks) -> None:
    tip = f"git rev-parse HEAD >> {hooks.said}"
    hooks.write(PRE, f"{tip}; cat own-* > all; git add all")
    hooks.lands(hooks.run(Change(), Change(), batch=2))
    commits = hooks.repo.git("rev-list", "--reverse", "main").splitlines()
    assert hooks.heard() == commits[:2]
    assert hooks.shown("main^:all") == "r1/t0"
    assert hooks.shown("main:all").split() == ["r1/t0", "r1/t1"]
    assert hooks.world is not None
    assert hooks.world.trials() == [[commits[2], "green"]]


def test_a_merge_passes_them_and_a_rebase_does_not(hooks: Hooks) -> None:
    hooks.write(PRE, "echo formatted > shared-1; git add shared-1")
    run = hooks.run(Change(), style=LandStyle.MERGE)
    hooks.repo.git("commit", "-qnm", "moved", "--allow-empty")
    hooks.lands(run)
    assert len(hooks.repo.git("log", "-1", "--format=%P", "main").split()) == 2
    assert hooks.shown("main:shared-1") == "formatted"
    hooks.repo.git("commit", "-qnm", "back", "--allow-empty")
    hooks.write(PRE, "exit 1")
    hooks.lands(hooks.run(Change(), style=LandStyle.REBASE))


def test_they_can_be_turned_off(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks.write(PRE, "exit 1")
    run = hooks.run(Change())
    assert hooks.world is not None
    plan = open_context(hooks.world.engine, "r1/t0", 1).plan
    off = replace(plan, land_hooks=False)
    monkeypatch.setattr("abreast.engine.working.session.context.plan_of", lambda *_: off)
    hooks.lands(run)


def test_a_worker_that_takes_over_runs_no_hook_twice(hooks: Hooks) -> None:
    hooks.write(PRE, f"{hooks.say('once')}; echo formatted > shared-1; git add shared-1")
    run = hooks.run(Change())
    world = hooks.world
    assert world is not None
    world.ask(run.id, [one.id for one in run.sessions], LandOptions())
    world.step()  # it opens its turn

    def after_it_ran() -> bool:
        return "once" in hooks.heard()

    made, deaths = hooking._left, []

    def dies(*args: object) -> str:
        if not deaths:
            deaths.append(after_it_ran())
            raise Killed
        return made(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hooking, "_left", dies)
        assert not world.step()
        while world.tickets:
            world.step()
    assert deaths == [True]
    assert hooks.heard() == ["once"]
    assert world.session("r1/t0").landing is LANDED
    assert hooks.shown("main:shared-1") == "formatted"


def test_what_a_hook_refuses_is_repaired_by_the_session_itself(shared_stage: Stage) -> None:
    stage = shared_stage
    hook = stage.repo.path / ".git/hooks" / PRE
    hook.write_text("#!/bin/sh\n! grep -n tabs one.txt\n")
    hook.chmod(0o755)
    try:
        agent = scripted(
            Write("one.txt", "tabs\n"), EndTurn("made"), Write("one.txt", "spaces\n"), Say("tidied")
        )
        run = stage.run(task("one", agent, repairs=1))
        [one] = api.land(run.id, places=stage.places).sessions
        assert (one.landing, one.repairs) == (LANDED, 1), (one.reason, one.state)
        assert stage.repo.git("show", "main:one.txt") == "spaces"
        told = (stage.directory(one.id) / "prompt.md").read_text()
        assert "main's hook `pre-commit` failed. Its output:" in told
        assert "1:tabs" in told
    finally:
        hook.unlink()


def test_a_hook_that_changes_what_steers_git_bounces_the_session_wherever_it_stands(
    hooks: Hooks,
) -> None:
    config = hooks.repo.path / ".git/config"
    hooks.write(PRE, f"[ ! -e own-r1-t1 ] || git config --file {config} alias.x y")
    first, second = hooks.land(hooks.run(Change(), Change(), batch=2))
    assert (first.landing, second.landing) == (LANDED, BOUNCED)
    assert second.reason.startswith("the pre-commit hook of main went beyond its worktree: ")
