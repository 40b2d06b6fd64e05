"""The queue of a target, held against every order in which things can happen to it."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from abreast.model.landing import LandOptions
from abreast.model.session import LandOrder, LandState, LandStyle, LandTests, Session
from tests.engine.working.landing.queue_world import START, Change, QueueWorld
from tests.support.homes import move_to
from tests.support.repos import Repo, make_repo

SHARED = ("shared-1", "shared-2")
MOMENTS = st.integers(1, 120)
"""A change of a step, at which something happens; one of them makes about 40 for each candidate."""


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    found = list[Change]()
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["green", "green", "red", "flaky", "shared", "dislikes"]))
        needs = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
        flaky = draw(st.lists(st.booleans(), min_size=2, max_size=4))
        found.append(
            Change(
                red=kind == "red",
                flaky=tuple(flaky) if kind == "flaky" else (),
                shared=draw(st.sampled_from(SHARED)) if kind == "shared" else "",
                dislikes=f"r{draw(st.integers(1, 3))}/t{draw(st.integers(0, 3))}"
                if kind == "dislikes"
                else "",
                needs=tuple(sorted(needs)),
            )
        )
    return found


class LandingQueue(RuleBasedStateMachine):
    """Runs, requests, steps of the queue, other people's pushes, and kills at any change."""

    template: Path
    database: Path

    @initialize(checked_out=st.booleans())
    def begin(self, checked_out: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="abreast-queue-"))
        shutil.copytree(self.template, self.folder / "repo")
        state = self.folder / "state"
        state.mkdir()
        shutil.copy(self.database, state / "abreast.db")
        repo = Repo(self.folder / "repo")
        if not checked_out:
            repo.git("checkout", "-q", "--detach")
        self.world = QueueWorld(state, repo)
        self.asked = set[str]()
        self.pushes = 0

    @precondition(lambda self: len(self.world.changes) < 9)
    @rule(
        made=changes(),
        style=st.sampled_from([LandStyle.SQUASH, LandStyle.SQUASH, LandStyle.MERGE]),
        batch=st.sampled_from([1, 2, 3, 8]),
    )
    def work(self, made: list[Change], style: LandStyle, batch: int) -> None:
        self.world.add_run(made, style, batch)

    @precondition(lambda self: bool(self.world.changes))
    @rule(
        data=st.data(),
        tests=st.sampled_from([None, None, LandTests.EACH]),
        order=st.sampled_from([None, LandOrder.AS_GIVEN]),
    )
    def ask(self, data: st.DataObject, tests: LandTests | None, order: LandOrder | None) -> None:
        run = data.draw(st.sampled_from(sorted({n.partition("/")[0] for n in self.world.changes})))
        all_of = [name for name in self.world.changes if name.startswith(f"{run}/")]
        some = data.draw(st.sets(st.sampled_from(all_of), min_size=1) | st.just(set(all_of)))
        # As `abreast land` does: a run that has not ended is refused.
        if self.world.run(run).state.final:
            self.world.ask(run, sorted(some), LandOptions(order, None, tests))
            self.asked |= some

    def moments(self, kill: int | None, push: int | None) -> dict[int, Callable[[], None]]:
        at: dict[int, Callable[[], None]] = {}
        if push is not None and self.pushes < 4:
            at[push] = self.push_own
        if kill is not None:
            at[kill] = self.world.kill
        return at

    @precondition(lambda self: bool(self.world.tickets))
    @rule(kill=st.none() | MOMENTS, push=st.none() | MOMENTS)
    def step(self, kill: int | None, push: int | None) -> None:
        self.world.step(self.moments(kill, push))

    @precondition(lambda self: bool(self.world.tickets))
    @rule(kills=st.lists(MOMENTS, max_size=3))
    def turn(self, kills: list[int]) -> None:
        """Take the oldest landing to its end, killed on its way."""
        ticket = self.world.tickets[0]
        while ticket in self.world.tickets:
            self.world.step(self.moments(kills.pop() if kills else None, None))

    def push_own(self) -> None:
        self.pushes += 1
        self.world.push({f"pushed-{self.pushes}": "x\n"})

    @precondition(lambda self: self.pushes < 4)
    @rule(path=st.sampled_from(["", *SHARED]))
    def push(self, path: str) -> None:
        self.pushes += 1
        self.world.push({path or f"pushed-{self.pushes}": f"push {self.pushes}\n"})

    @invariant()
    def target_is_what_was_landed_and_pushed(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        history = world.history()
        mine = [session for _, session in history if session]
        assert len(set(mine)) == len(mine), "a task is in the target twice"
        assert [one for one, session in history if not session] == list(world.pushed)
        assert world.files() == world.expected_files()
        passed = {commit for commit, verdict in world.trials() if verdict == "green"}
        assert set(world.tips()) <= passed, "the target was moved to what had not passed"
        for at, session in enumerate(mine):
            run = session.partition("/")[0]
            needs = {f"{run}/t{need}" for need in world.changes[session].needs}
            assert needs <= set(mine[:at]), f"{session} landed before what it needs"
        assert world.repo.git("status", "--porcelain") == "" or world.tickets

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            while self.world.tickets:
                self.world.step()
            self.target_is_what_was_landed_and_pushed()
            self.everything_has_ended()
        finally:
            self.world.close()
            shutil.rmtree(self.folder)

    def everything_has_ended(self) -> None:
        world = self.world
        landed = {session for _, session in world.history() if session}
        failed = {commit for commit, verdict in world.trials() if verdict == "red"}
        for name, change in world.changes.items():
            session = world.session(name)
            if name not in self.asked:
                assert session.landing is LandState.NONE
            elif name in landed:
                assert session.landing is LandState.LANDED, (session.landing, session.reason)
            elif session.landing is LandState.NONE:
                self.target_was_red(session, failed)
            else:
                assert session.landing is LandState.BOUNCED, (session.landing, session.reason)
                self.bounced_with_reason(session, change, failed)
        for run in {name.partition("/")[0] for name in self.asked}:
            assert world.run(run).state.final
        assert list(world.places.forwards.glob("*.json")) == []
        assert world.repo.git("status", "--porcelain") == ""

    def target_was_red(self, session: Session, failed: set[str]) -> None:
        """Nobody is to blame where the target itself was red, as a flaky one in it can make it."""
        said = "main itself is red, without this: `verify` on "
        assert session.reason.startswith(said), session.reason
        tip = session.reason.removeprefix(said)[:12]
        assert any(commit.startswith(tip) for commit in failed), session.reason
        landed = (self.world.changes[name] for _, name in self.world.history() if name)
        assert any(change.flaky for change in landed), session.reason

    def bounced_with_reason(self, session: Session, change: Change, failed: set[str]) -> None:
        reason = session.reason
        if reason.startswith("needs "):
            assert change.needs
        elif "conflicts with main" in reason:
            assert change.shared
        else:
            assert reason.startswith("on the merge with main, verify failed: "), reason
            assert reason.endswith("tried twice"), reason
            tested = session.hint.partition("its output: ")[2].rpartition("/")[2]
            assert tested in failed, session.hint
            assert not self.blameless(session.id), reason

    def blameless(self, name: str) -> bool:
        """Whether verify cannot have failed by this session, whatever else has landed."""
        others = self.world.changes
        return not (
            others[name].red
            or others[name].dislikes
            or any(one.flaky for one in others.values())
            or any(one.dislikes == name for one in others.values())
        )


@pytest.fixture
def machine(
    tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch
) -> type[LandingQueue]:
    move_to(tmp_path / "home", monkeypatch)
    repo = make_repo(tmp_path / "template", START, "--template=")

    class Prepared(LandingQueue):
        template = repo.path
        database = migrated_file

    return Prepared


@pytest.mark.parametrize(
    "numbers", ["10:250:31", pytest.param("1:300:3", marks=pytest.mark.product)]
)
def test_a_queue_whose_worker_is_killed_ends_as_any_other(
    machine: type[LandingQueue], tmp_path: Path, numbers: str
) -> None:
    """The worker is a process of its own, and ends by `kill -9` at a change that it makes."""
    script = "tests.engine.working.landing.killed_queue"
    argv = [sys.executable, "-m", script, machine.template, machine.database, tmp_path, numbers]
    top = Path(__file__).parents[4]
    done = subprocess.run(argv, cwd=top, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ends = [line.partition(" ")[2] for line in done.stdout.splitlines()]
    assert len(ends) > 3, done.stdout
    assert set(ends) == {"landed t0 t2 t3, bounced t1 t4"}, done.stdout


def play(machine: type[LandingQueue], examples: int, steps: int) -> None:
    # A second for an example: making a failing one smaller would take minutes.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            phases=phases,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_queue_keeps_its_promises(machine: type[LandingQueue]) -> None:
    play(machine, examples=10, steps=10)


@pytest.mark.product
def test_a_queue_keeps_its_promises_for_long(machine: type[LandingQueue]) -> None:
    play(machine, examples=150, steps=25)
