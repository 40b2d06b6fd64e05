"""Sessions of the real CLIs that do not end well: each says why, and the work is kept."""

import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from abreast import api
from abreast.model.cause import Cause
from abreast.model.events import Outcome
from abreast.model.limits import Limits
from abreast.model.moves import Drop, Hang, HttpError, Say, Shell, Spend, Write
from abreast.model.session import Run, RunState, Session, SessionState
from abreast.runner.job import Result, load_result
from tests.support.deadlines import MINUTES, PATIENCE
from tests.support.rig import Rig, every_cli, rigged, told

pytestmark = pytest.mark.clis

SOON = 6 * PATIENCE  # seconds: with as many retries as the CLIs make by themselves, it is minutes
LATE = Limits(minutes=MINUTES, idle_minutes=0, answer_minutes=0.001)
IDLE = Limits(minutes=MINUTES, idle_minutes=0.06)

# Two of the CLIs tell in their stream only at the end what they have used.
_DEAR = (
    Spend(2000, 0, 10),
    Write("work.txt", "half done\n"),
    Spend(2000, 0, 10),
    Shell("true"),
    Hang(),
)


@dataclass(frozen=True)
class Ended:
    """One run in which everything goes wrong, each task in its own way."""

    rig: Rig
    run: Run

    def session(self, task: str) -> Session:
        return next(session for session in self.run.sessions if session.task == task)

    def result(self, task: str) -> Result:
        found = load_result(Path(self.session(task).directory) / "agent")
        assert found is not None
        return found

    def kept(self, task: str) -> list[str]:
        """The files that its hidden ref has over the base."""
        session = self.session(task)
        ref = f"refs/abreast/snap/{session.id}"
        return self.rig.repo.git("diff", "--name-only", self.run.base_sha, ref).splitlines()


@every_cli
def test_whatever_goes_wrong_is_told_and_the_work_is_kept(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        before = rig.fingerprints()
        work = Write("work.txt", "half done\n")
        stray = Write(str(rig.root / "outside.txt"), "x\n")
        run = rig.stage.run(
            rig.task("hang", work, Hang(), limits=IDLE),
            rig.task("red", work, Say("Done."), verify="echo too-bad; exit 3"),
            rig.task("outside", work, stray, Say("Done!"), limits=LATE),
            rig.task("rate", work, HttpError(429, "slow down", code="rate")),
            rig.task("oops", work, HttpError(500, "oh no")),
            rig.task("drop", work, Say("half a word"), Drop()),
            rig.task("nothing", Say("All done!")),
            rig.task("dear", *_DEAR, limits=Limits(minutes=MINUTES, idle_minutes=0, tokens=3000)),
            max_parallel=3,
        )
        ended = Ended(rig, run)
        a_red_verify_fails_the_session(ended)
        a_denied_tool_blocks_the_session_and_is_named(ended)
        an_outage_fails_the_session_in_seconds(ended, "rate", "slow down", "429")
        an_outage_fails_the_session_in_seconds(ended, "oops", "oh no", "high demand")
        an_outage_fails_the_session_in_seconds(
            ended, "drop", "lost", "stream disconnected", "terminated"
        )
        a_hang_is_stopped_by_the_idle_limit(ended)
        a_session_that_changed_nothing_is_not_done(ended)
        a_limit_of_tokens_stops_it_in_mid_session(ended)
        assert run.state is RunState.FAILED
        assert rig.fingerprints() == before
        assert rig.repo.git("rev-parse", "main") == run.base_sha


def a_red_verify_fails_the_session(ended: Ended) -> None:
    session = ended.session("red")
    assert session.state is SessionState.FAILED
    assert session.reason == "verify failed: exit code 3: too-bad"
    assert f"abreast logs {session.id}" in session.hint
    assert (session.commit, session.final_message) == ("", "Done.")
    assert ended.kept("red") == ["work.txt"]
    assert ended.rig.repo.git("rev-parse", session.branch) == ended.run.base_sha


def a_denied_tool_blocks_the_session_and_is_named(ended: Ended) -> None:
    session, outside = ended.session("outside"), ended.rig.root / "outside.txt"
    assert not outside.exists()
    assert session.state is SessionState.BLOCKED
    if ended.rig.agent.capabilities.answered:  # a person was asked, and has not answered
        (asked,) = ended.result("outside").progress.asked
        denial = f"{asked.tool} {asked.about}"
    else:
        (denial,) = ended.result("outside").verdict.denials
    assert denial in session.reason
    assert str(outside)[:80] in denial
    assert denial.lower().startswith(("write", "edit"))
    assert session.hint
    assert session.commit == ""
    assert ended.kept("outside") == ["work.txt"]


def an_outage_fails_the_session_in_seconds(ended: Ended, task: str, *words: str) -> None:
    session, result = ended.session(task), ended.result(task)
    assert session.state is SessionState.FAILED
    assert (result.verdict.outcome, result.verdict.cause) == (Outcome.FAILED, Cause.TRANSIENT)
    assert any(word in session.reason for word in words), session.reason
    assert "abreast resume" in session.hint
    assert result.ended - result.started < SOON
    assert ended.kept(task) == ["work.txt"]


def a_hang_is_stopped_by_the_idle_limit(ended: Ended) -> None:
    session = ended.session("hang")
    assert session.state is SessionState.STOPPED
    assert session.reason.startswith("stopped by the idle limit: no sign of life for 0.06 min")
    assert session.hint
    assert ended.kept("hang") == ["work.txt"]
    assert len(ended.rig.turns("hang")) == 2


def a_session_that_changed_nothing_is_not_done(ended: Ended) -> None:
    session = ended.session("nothing")
    assert (session.state, session.final_message) == (SessionState.FAILED, "All done!")
    assert session.reason == "it ended well, but changed nothing"


def a_limit_of_tokens_stops_it_in_mid_session(ended: Ended) -> None:
    session = ended.session("dear")
    assert (session.state, session.reason) == (
        SessionState.STOPPED,
        "stopped by the limit of 3000 tokens",
    )
    assert session.usage.input_tokens == 4000
    assert ended.kept("dear") == ["work.txt"]


LOGINS = {"claude": "claude auth login", "codex": "codex login", "gemini": "run `gemini` once"}


@every_cli
def test_a_refused_login_stops_the_line_until_it_is_settled(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        tasks = [
            rig.task("one", HttpError(401, "no such key")),
            rig.task("two", Write("two.txt", "2\n"), Say("Two.")),
        ]
        run = rig.stage.run(*tasks, max_parallel=1)
        first, second = run.sessions
        result = load_result(Path(first.directory) / "agent")
        assert result is not None
        assert (first.state, result.verdict.cause) == (SessionState.FAILED, Cause.AUTH)
        assert "no such key" in first.reason
        assert LOGINS[name] in first.hint
        assert second.state is SessionState.BLOCKED
        assert second.reason == f"not started: {first.reason}"
        assert "abreast resume" in second.hint
        assert rig.turns("two") == []

        rig.play("one", Write("one.txt", "1\n"), Say("One."), match=tasks[0].prompt)
        api.resume(run.id, places=rig.stage.places)
        again = rig.stage.wait(run.id)
        assert again.state is RunState.DONE, [(s.task, s.reason) for s in again.sessions]
        assert [s.files for s in again.sessions] == [("one.txt",), ("two.txt",)]
        assert "You were interrupted." in told(rig.turns("one")[-1])


@every_cli
def test_a_refused_connection_ends_in_seconds(name: str, tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        with rigged(name, tmp_path, url=url) as rig:
            run = rig.stage.run(rig.task("one"))
            (session,) = run.sessions
            result = load_result(Path(session.directory) / "agent")
            assert result is not None
            assert session.state is SessionState.FAILED
            assert result.verdict.cause is Cause.TRANSIENT, session.reason
            assert result.ended - result.started < SOON
            assert rig.server.requests == []
