"""Limits are held from outside: what trips one is stopped, and what it did is kept."""

import psutil
import pytest

from abreast.model.limits import Limits
from abreast.model.moves import Move, Say, Shell, Sleep, Spend, Write
from abreast.model.session import Run, RunState, SessionState
from tests.support.deadlines import MINUTES
from tests.support.stage import Stage, scripted, task

WORK, HANG = Write("half.txt", "half\n"), Sleep(1000)
# In a session of its own and with a clean environment: neither group nor marker leads to it.
ORPHAN = Shell("env -i setsid sleep 1000 > /dev/null 2>&1 & echo $! > orphan.txt")

LIMITS: dict[str, tuple[Limits, tuple[Move, ...], str]] = {
    "wall": (Limits(minutes=0.1, idle_minutes=0), (HANG,), "the time limit of 0.1 minutes"),
    "idle": (
        Limits(minutes=MINUTES, idle_minutes=0.03),
        (ORPHAN, HANG),
        "the idle limit: no sign of life for 0.03 minutes",
    ),
    "turns": (
        Limits(minutes=MINUTES, idle_minutes=0, turns=3),
        (*[Shell("true")] * 5, HANG),
        "the limit of 3 turns",
    ),
    "tokens": (
        Limits(minutes=MINUTES, idle_minutes=0, tokens=2000),
        (Spend(1500, 0, 600), Shell("true"), HANG),
        "the limit of 2000 tokens",
    ),
}


@pytest.fixture
def ended(shared_stage: Stage) -> Run:
    stage = shared_stage
    tasks = (
        task(name, scripted(WORK, *moves, Say("never said")), limits=limits)
        for name, (limits, moves, _) in LIMITS.items()
    )
    within = Limits(minutes=MINUTES, idle_minutes=MINUTES, turns=9, tokens=9000, usd=1)
    return stage.run(
        *tasks,
        task("within", scripted(Spend(1500, 0, 600), WORK, Say("done")), limits=within),
        max_parallel=5,
    )


def test_a_limit_that_trips_is_named_and_partial_work_is_kept(
    shared_stage: Stage, ended: Run
) -> None:
    stage = shared_stage
    assert ended.state is RunState.STOPPED
    *limited, within = ended.sessions
    assert within.state is SessionState.DONE, within.reason
    for session in limited:
        assert session.state is SessionState.STOPPED
        assert session.reason == f"stopped by {LIMITS[session.task][2]}"
        assert "abreast resume" in session.hint
        assert stage.repo.git("show", f"refs/abreast/snap/{session.id}:half.txt") == "half"
        assert stage.marked(session.id) == []
        assert session.final_message == ""
    idle = next(session for session in limited if session.task == "idle")
    orphan = int(stage.repo.git("show", f"refs/abreast/snap/{idle.id}:orphan.txt"))
    assert not psutil.pid_exists(orphan)
    tokens = next(session for session in limited if session.task == "tokens")
    assert tokens.usage.input_tokens == 1500


def test_commands_of_the_plan_have_limits_of_their_own(shared_stage: Stage) -> None:
    stage = shared_stage
    slow = "echo x >> half.txt; sleep 1000 & wait"
    run = stage.run(
        task("setup", scripted(WORK), setup=slow),
        task("verify", scripted(WORK), verify=slow),
        setup_timeout_minutes=0.05,
        verify_timeout_minutes=0.06,
    )
    assert [session.reason for session in run.sessions] == [
        "setup was stopped by the time limit of 0.05 minutes",
        "verify was stopped by the time limit of 0.06 minutes",
    ]
    for session in run.sessions:
        assert session.state is SessionState.STOPPED
        assert stage.marked(session.id, session.task) == []
        assert stage.repo.git("show", f"refs/abreast/snap/{session.id}:half.txt")
