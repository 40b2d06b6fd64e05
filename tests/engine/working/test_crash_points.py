"""A worker dies before each change that it makes; afterwards all is as if it had not died.

The points are found while it runs, from the calls that it makes: a new step brings its own.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from abreast import api
from abreast.api.answers import collect
from abreast.api.delegations import start_delegation
from abreast.engine.common.worker_process import ensure_worker
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandMode, LandState, Run, RunState, SessionState
from abreast.model.task import AgentChoice
from tests.engine.working.test_crash import Journal
from tests.support.crashing import CrashingStage
from tests.support.deadlines import eventually
from tests.support.reliability import record
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, until

EVERY = pytest.param(True, marks=pytest.mark.product, id="every")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


@pytest.fixture
def crashing(tmp_path: Path, repo: Repo) -> Iterator[CrashingStage]:
    with CrashingStage.on_sqlite(tmp_path / "state", repo) as built:
        built.points = tmp_path / "points"
        built.points.mkdir()
        yield built


def start(stage: CrashingStage, journal: Journal) -> Run:
    """Start two sessions, of which one needs the other, to be landed in a checkout with edits."""
    stage.repo.write({"README.md": "# mine\n", "mine.txt": "mine\n"})
    return stage.start(
        *(
            task(
                name,
                scripted(journal.note(name), Write(f"{name}.txt", name), Say("done")),
                needs=needs,
                setup="true",
                verify=f"test -e {name}.txt",
            )
            for name, needs in (("one", ()), ("two", ("one",)))
        ),
        land=LandMode.MERGE,
    )


def check(stage: Stage, ended: Run) -> None:
    """Check that each task is there once, and that nothing else is left or has changed."""
    assert ended.state is RunState.DONE, [(s.id, s.state, s.reason) for s in ended.sessions]
    git = stage.repo.git
    for session in ended.sessions:
        assert session.state is SessionState.DONE
        assert session.landing is LandState.LANDED
        made = git("log", "--format=%H", f"--grep=Abreast-Session: {session.id}", "main").split()
        assert made == [session.landed]
    there = git("ls-tree", "--name-only", "main").splitlines()
    assert {f"{session.task}.txt" for session in ended.sessions} <= set(there)
    assert git("status", "--porcelain").splitlines() == ["M README.md", "?? mine.txt"]
    assert (stage.repo.path / "README.md").read_text() == "# mine\n"
    assert "error" not in git("fsck", "--no-dangling")
    eventually(lambda: left_over(stage) == [], f"nothing is left: {left_over(stage)}")


def left_over(stage: Stage) -> list[str]:
    """What there is only while something is being done; a file that is locked may stay."""
    top = stage.places.state
    found = [*top.rglob("*"), *(stage.repo.path / ".git").rglob("*")]
    inner = {top / "trash", top / "forwards"}
    return sorted(
        str(one)
        for one in found
        if HALF.search(one.name) or (one.parent in inner and one.suffix != ".lock")
    )


HALF = re.compile(r"^\..*\.\d+\.\d+$|\.[0-9a-f]{12}$|^index\..|\.intent$|^\.abreast-")


@pytest.mark.parametrize("every", [pytest.param(False, id="effects"), EVERY])
def test_a_run_goes_on_after_its_worker_died_at_every_point(
    crashing: CrashingStage, journal: Journal, every: bool
) -> None:
    crashing.every = every
    run = start(crashing, journal)
    ended = crashing.crash_through(run.id)
    check(crashing, ended)
    assert journal.lines() == ["one", "two"]
    assert {session.attempt for session in ended.sessions} == {1}
    assert len(crashing.met()) > 100
    fault = "the worker dies (kill -9)" + (", all writes" if every else "")
    record("a run of two sessions with setup, verify and landing", fault, len(crashing.met()))


def test_a_run_is_resumed_wherever_all_died(
    local_stage: Stage, journal: Journal, tmp_path: Path
) -> None:
    """Worker, runners and agents at once, as when the power fails while something runs."""
    stage = local_stage
    stage.repo.write({"README.md": "# mine\n", "mine.txt": "mine\n"})

    def waits(word: str) -> str:
        return f"echo {word} >> {tmp_path}/journal; {until(tmp_path / word).command}"

    moves = (Write("half.txt", "half\n"), Shell(waits("agent")), Write("one.txt", "one"), Say("ok"))
    # Verify is called for the session, and again for the merge.
    verify = f"if [ -e {tmp_path}/verify ]; then {waits('landing')}; else {waits('verify')}; fi"
    one = task("one", scripted(*moves), setup=waits("setup"), verify=verify)
    run = stage.start(one, land=LandMode.MERGE)
    for word in ("setup", "agent", "verify", "landing"):
        eventually(partial(come_to, stage, run.id, journal, word), f"its {word}")
        stage.kill_everything()
        (tmp_path / word).touch()
    eventually(partial(come_to, stage, run.id, journal, ""), "its end")
    check(stage, api.find_run(run.id, places=stage.places))
    assert stage.repo.git("show", "main:half.txt") == "half"
    assert set(journal.lines()) == {"setup", "agent", "verify", "landing"}
    fault = "worker, runner and agent die (kill -9), then `resume`"
    record("setup, agent, verify and the landing's verify", fault, 4)


def come_to(stage: Stage, run: str, journal: Journal, word: str) -> bool:
    """Whether a run has come to what writes `word`, or to its end; it is resumed if need be."""
    ensure_worker(stage.places)
    found = api.find_run(run, places=stage.places)
    if found.state.final and found.state is not RunState.DONE:
        api.resume(run, places=stage.places)
    return word in journal.lines() if word else found.state is RunState.DONE


def test_a_delegation_is_answered_after_its_worker_died_at_every_point(
    crashing: CrashingStage, journal: Journal
) -> None:
    answer = {"bullets": ["app.py greets"], "nothing_found": None}
    asked = start_delegation(
        "Which?",
        returns="bullets",
        agent=AgentChoice("scripted", moves=(journal.note("asked"), Say(json.dumps(answer)))),
        repo=crashing.repo.path,
        places=crashing.places,
    )
    ended = crashing.crash_through(asked.id)
    assert ended.state is RunState.DONE
    assert journal.lines() == ["asked"]
    [delivered] = collect(asked.id, places=crashing.places)
    assert delivered.value == answer
    eventually(lambda: left_over(crashing) == [], "nothing is left")
    assert len(crashing.met()) > 20
    record("a delegation", "the worker dies (kill -9)", len(crashing.met()))
