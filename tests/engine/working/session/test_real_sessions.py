"""Sessions of the real CLIs over several processes: stopped and resumed, opened and attached."""

import json
import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest

import abreast
from abreast import api
from abreast.agents.base import Command
from abreast.model.moves import Say, Shell, Spend, Write
from abreast.model.session import Session, SessionState
from abreast.process.tree import marked
from abreast.runner.job import load_job
from abreast.store.reader import Reader
from tests.support.rig import BRIEFINGS, Rig, at_work_in, every_cli, rigged, told
from tests.support.terminal import AtTerminal

pytestmark = pytest.mark.clis

SPEND = Spend(1000, 100, 10)
NEWER = "gpt-6.1-sol"  # an older one is met with advertisement for a newer


def spent(rig: Rig, session: Session) -> dict[int, tuple[int | None, ...]]:
    """Tokens of each attempt."""
    parts = Reader(rig.stage.places.database).usage(session.id)
    return {
        part.attempt: (part.usage.input_tokens, part.usage.cached_tokens, part.usage.output_tokens)
        for part in parts
        if not part.model
    }


def sum_of(attempts: dict[int, tuple[int | None, ...]]) -> tuple[int, ...]:
    return tuple(sum(n or 0 for n in column) for column in zip(*attempts.values(), strict=True))


@every_cli
def test_stopped_in_mid_tool_and_resumed_by_its_exact_id(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        before = rig.fingerprints()
        first = rig.task(
            "one",
            *(SPEND, Say("FIRST-WORD"), Write("a.txt", "1\n")),
            *(SPEND, Shell("touch up; sleep 600 && touch late"), Say("Never said.")),
        )
        run = rig.stage.start(first)
        name_of = f"{run.id}/one"
        begun = rig.stage.until(name_of, lambda s: s.worktree and Path(s.worktree, "up").exists())
        worktree, marker = Path(begun.worktree), load_job(Path(begun.directory) / "agent").marker
        assert len(marked(marker)) >= 3  # the runner, the CLI, the shell
        assert at_work_in(worktree)

        (stopped,) = api.stop(run.id, places=rig.stage.places)
        assert marked(marker) == []
        assert at_work_in(worktree) == []
        assert not (worktree / "late").exists()
        assert (stopped.state, stopped.reason) == (SessionState.STOPPED, "stopped by you")
        assert "abreast resume" in stopped.hint
        kept = rig.repo.git("diff", "--name-only", run.base_sha, f"refs/abreast/snap/{name_of}")
        assert kept.split() == ["a.txt", "up"]
        assert stopped.cli_session
        assert spent(rig, stopped) == {1: (2000, 200, 20)}

        asked = len(rig.turns())
        rig.play(
            "again",
            *(Spend(2000, 200, 20), Write("b.txt", "2\n"), SPEND, Shell("rm up")),
            *(Spend(3000, 300, 30), Say("Two.")),
            match="You were interrupted",
        )
        api.resume(run.id, places=rig.stage.places)
        (session,) = rig.stage.wait(run.id).sessions
        assert session.state is SessionState.DONE, session.reason
        assert (session.attempt, session.cli_session) == (2, stopped.cli_session)
        assert (session.files, session.final_message) == (("a.txt", "b.txt"), "Two.")
        assert spent(rig, session) == {1: (2000, 200, 20), 2: (6000, 600, 60)}
        assert (session.usage.input_tokens, session.usage.output_tokens) == (8000, 80)
        again = rig.turns()[asked]
        assert all(word in told(again) for word in ("FIRST-WORD", "Do one.", "interrupted"))
        assert of_session(again) in {"", session.cli_session}
        assert rig.repo.git("rev-list", "--count", f"{run.base_sha}..{session.branch}") == "1"
        assert rig.fingerprints() == before


@every_cli
def test_killed_with_everything_else_it_goes_on_with_one_resume(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path, trapped=False) as rig:
        moves = (
            Say("FIRST-WORD"),
            Write("a.txt", "1\n"),
            Shell("touch up; sleep 600 && touch late"),
        )
        run = rig.stage.start(rig.task("one", *moves, Say("Never said.")))
        one = f"{run.id}/one"
        rig.stage.until(one, lambda s: s.worktree and Path(s.worktree, "up").exists())
        before = rig.stage.until(one, lambda s: s.cli_session)
        asked = len(rig.turns())
        rig.stage.kill_everything()
        assert rig.stage.session(one).state is SessionState.RUNNING  # as nobody knows better

        rig.play("again", Write("b.txt", "2\n"), Say("Two."), match="You were interrupted")
        api.resume(run.id, places=rig.stage.places)
        (session,) = rig.stage.wait(run.id).sessions
        assert session.state is SessionState.DONE, session.reason
        assert (session.attempt, session.cli_session) == (2, before.cli_session)
        assert (session.files, session.final_message) == (("a.txt", "b.txt", "up"), "Two.")
        again = rig.turns()[asked]
        assert all(word in told(again) for word in ("FIRST-WORD", "Do one.", "interrupted"))


def of_session(request) -> str:
    """The CLI's session that a request belongs to; Gemini CLI does not say."""
    headers = request.headers
    return str(headers.get("x-claude-code-session-id") or headers.get("thread-id") or "")


@every_cli
def test_a_session_whose_check_failed_is_told_what_it_said(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        verify = "ls; test -f right.txt"
        run = rig.stage.run(
            rig.task("one", Write("wrong.txt", "1\n"), Say("Done."), verify=verify),
        )
        asked = len(rig.turns())
        rig.play("again", Shell("mv wrong.txt right.txt"), Say("Now."), match="The check `ls;")
        api.resume(run.id, places=rig.stage.places)
        (session,) = rig.stage.wait(run.id).sessions
        assert session.state is SessionState.DONE, session.reason
        assert session.files == ("right.txt",)
        said = told(rig.turns("again")[0])
        assert of_session(rig.turns()[asked]) in {"", session.cli_session}
        assert f"The check `{verify}` failed" in said
        assert "wrong.txt" in said.partition("The check `")[2]

        # It is done. A message resumes the same conversation, and what comes of it is checked too.
        rig.play("more", Write("more.txt", "2\n"), Say("More."), match="Add more.txt")
        assert api.tell(session.id, "Add more.txt.", places=rig.stage.places).resumed
        (last,) = rig.stage.wait(run.id).sessions
        assert (last.state, last.attempt, last.final_message) == (SessionState.DONE, 3, "More.")
        assert (last.files, last.cli_session) == (("more.txt", "right.txt"), session.cli_session)
        said = told(rig.turns("more")[0])
        assert all(word in said for word in ("Do one.", "Now.", "Message from the user:"))
        assert rig.repo.git("rev-list", "--count", f"{run.base_sha}..{last.branch}") == "1"


def terminal(*argv: str) -> Command:
    """`abreast …` as a person types it."""
    return Command((sys.executable, "-m", "abreast", *argv), dict(os.environ))


def answer_beforehand(rig: Rig) -> None:
    """Answer what each CLI asks once for a repository."""
    if rig.agent.name == "claude":
        file = rig.home / ".claude.json"
        projects = {str(rig.repo.path): {"hasTrustDialogAccepted": True}}
        file.write_text(json.dumps({**json.loads(file.read_text()), "projects": projects}))
    elif rig.agent.name == "codex":
        with (rig.home / ".codex/config.toml").open("a") as config:
            config.write(f'\n[projects."{rig.repo.path}"]\ntrust_level = "trusted"\n')


READY = {"claude": "⏵⏵", "codex": "for shortcuts", "gemini": "Type your message"}
QUESTIONS = {"claude": "Yes, I trust this folder", "codex": "Trust and continue"}
# Its terminal mode fetches announcements, and no setting stops it.
WANTS = {"codex": ("raw.githubusercontent.com:443",)}


def at_rig(name: str, root: Path) -> AbstractContextManager[Rig]:
    """A rig for sessions at a terminal: what a person there trusts, Codex does run."""
    return rigged(name, root, trapped=name != "codex", wants=WANTS.get(name, ()))


def goes_on(at: AtTerminal, name: str, said: str) -> bool:
    """Tell whether the conversation is there again; while Gemini CLI reads it, it drops keys."""
    read = at.text.rpartition("Resumingsession")[2]
    return "".join(said.split()) in at.text and "".join(READY[name].split()) in read


def say(at: AtTerminal, text: str, answer: str) -> None:
    at.type(text)
    at.press("\r", answer)


def leave(at: AtTerminal) -> int:
    """Leave the CLI; abreast then does the rest."""
    program, *_ = psutil.Process(at.process.pid).children()
    at.calm()  # a CLI that is still drawing its answer may swallow the Enter
    at.type("/quit")
    at.calm(0.5)
    at.press("\r", lambda: not program.is_running(), every=3.0)
    return at.ended()


@every_cli
def test_a_person_opens_a_session_and_comes_back_to_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rig(name, tmp_path) as rig:
        answer_beforehand(rig)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("ABREAST_STATE_DIR", str(rig.stage.places.state))
        before = rig.fingerprints()
        model = ("--model", NEWER) if name == "codex" else ()
        rig.play("hello", Say("hello back, Ada"), match="hello there")
        rig.play("more", Say("once more, Ada"), match="and more")

        with AtTerminal(terminal("open", "mine", "--agent", name, *model), rig.repo.path) as at:
            at.until(f"/mine in {rig.stage.places.worktrees}")
            at.until(READY[name])
            assert "note:" not in at.text
            say(at, "hello there", "hello back, Ada")
            session = rig.stage.session("mine")
            assert session.state is SessionState.RUNNING
            Path(session.worktree, "mine.txt").write_text("1\n")
            assert leave(at) == 0
            at.until("next: abreast land")
        session = rig.stage.session("mine")
        assert (session.state, session.files) == (SessionState.DONE, ("mine.txt",))
        assert rig.repo.git("show", f"{session.branch}:mine.txt") == "1"
        first = rig.turns("hello")[0]
        assert of_session(first) in {"", session.cli_session}
        assert all(told(first).count(text.strip()) == 1 for text in BRIEFINGS.values())

        with AtTerminal(terminal("attach", "mine"), rig.repo.path) as at:
            at.until(lambda: goes_on(at, name, "hello back, Ada"))
            say(at, "and more", "once more, Ada")
            Path(session.worktree, "more.txt").write_text("2\n")
            assert leave(at) == 0
        again = rig.stage.session("mine")
        assert (again.state, again.attempt) == (SessionState.DONE, 2)
        assert again.files == ("mine.txt", "more.txt")
        assert again.cli_session == session.cli_session
        assert rig.repo.git("rev-list", "--count", f"main..{again.branch}") == "1"
        (more, *_) = rig.turns("more")
        assert of_session(more) in {"", session.cli_session}
        assert "hello back, Ada" in told(more)
        assert rig.fingerprints() == before


@every_cli
def test_a_person_goes_on_with_a_headless_session(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rig(name, tmp_path) as rig:
        answer_beforehand(rig)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("ABREAST_STATE_DIR", str(rig.stage.places.state))
        verified = rig.root / "verified"
        model = NEWER if name == "codex" else ""
        run = rig.stage.run(
            rig.task(
                "one",
                *(Write("a.txt", "1\n"), Say("FIRST-WORD")),
                verify=f"ls >> {verified}; test -f a.txt",
                model=model,
            )
        )
        (session,) = run.sessions
        assert session.state is SessionState.DONE, session.reason
        rig.play("more", Say("once more, Ada"), match="and more")
        with AtTerminal(terminal("attach", session.id), rig.repo.path) as at:
            at.until(lambda: goes_on(at, name, "FIRST-WORD"))
            say(at, "and more", "once more, Ada")
            Path(session.worktree, "b.txt").write_text("2\n")
            assert leave(at) == 0
        again = rig.stage.session(session.id)
        assert (again.state, again.cli_session) == (SessionState.DONE, session.cli_session)
        assert again.files == ("a.txt", "b.txt")
        [row] = abreast.ledger(places=rig.stage.places, by="session").rows
        told_by_ledger = row.input_tokens, row.cached_tokens, row.output_tokens
        assert told_by_ledger == sum_of(spent(rig, again))
        assert (session.usage.input_tokens, session.usage.output_tokens) == (2000, 100)
        assert row.input_tokens >= 3000
        assert "FIRST-WORD" in told(rig.turns("more")[0])
        assert verified.read_text().count("b.txt") == 1
        assert verified.read_text().count("a.txt") == 2


def test_a_session_whose_first_question_is_declined_is_no_work_that_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rig("claude", tmp_path) as rig:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("ABREAST_STATE_DIR", str(rig.stage.places.state))
        with AtTerminal(terminal("open", "mine", "--agent", "claude"), rig.repo.path) as at:
            at.until(QUESTIONS["claude"])
            program, *_ = psutil.Process(at.process.pid).children()
            at.calm()
            at.press("\x1b[B", "\u276f No", every=10)
            at.press("\r", lambda: not program.is_running(), every=3.0)
            assert at.ended() == 1
        session = api.find_session("mine", places=rig.stage.places)
        assert (session.state, session.commit) == (SessionState.STOPPED, "")
        assert session.reason == "it was left before anything was said or done in it"
        assert session.hint == f"abreast attach {session.id} opens it again"


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_what_the_cli_asks_first_is_announced(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_rig(name, tmp_path) as rig:
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("ABREAST_STATE_DIR", str(rig.stage.places.state))
        model = ("--model", NEWER) if name == "codex" else ()
        with AtTerminal(terminal("open", "mine", "--agent", name, *model), rig.repo.path) as at:
            at.until("asks first whether you trust this folder")
            at.until(QUESTIONS[name])
            if name == "claude":
                at.calm()  # it asks anew once it knows its terminal
                at.press("\x1b[B", "\u276f Yes", every=10)
            at.press("\r", READY[name])
            leave(at)
        # The answer was for the repository, so nothing is asked in the next worktree.
        opened = api.open_session("yours", name, repo=rig.repo.path, places=rig.stage.places)
        assert opened.command.note == ""
        api.close_session(opened.session.id, places=rig.stage.places)
