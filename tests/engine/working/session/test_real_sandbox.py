"""The real CLIs inside the sandbox: they work, keep their login and their records, and go on."""

import json
import os
from pathlib import Path

import pytest

from abreast import api
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import SessionState
from abreast.runner.job import load_job
from tests.support.bubblewrap import require_bubblewrap, settings_with_sandbox
from tests.support.rig import Rig, every_cli, rigged

pytestmark = pytest.mark.clis


def confine(rig: Rig, mode: str = "bwrap") -> None:
    """Let the developer's settings ask for the sandbox."""
    settings_with_sandbox(rig.root / "settings.toml", mode=mode)


@every_cli
def test_a_session_works_commits_is_stopped_and_goes_on(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        confine(rig)
        login = with_login(rig.home) if name == "claude" else None
        before = rig.fingerprints()
        own = "true" if name == "codex" else "git add a.txt && git commit -qm Own"
        first = rig.task(
            "one",
            *(Say("FIRST-WORD"), Write("a.txt", "1\n"), Shell(own)),
            *(Shell("touch up; sleep 600 && touch late"), Say("Never said.")),
        )
        run = rig.stage.start(first)
        one = f"{run.id}/one"
        begun = rig.stage.until(one, lambda s: s.worktree and Path(s.worktree, "up").exists())
        job = Path(begun.directory) / "agent"
        assert load_job(job).confinement.program
        (stopped,) = api.stop(run.id, places=rig.stage.places)
        assert (stopped.state, stopped.reason) == (SessionState.STOPPED, "stopped by you")
        rig.play("again", Write("b.txt", "2\n"), Say("Two."), match="You were interrupted")
        api.resume(run.id, places=rig.stage.places)
        (session,) = rig.stage.wait(run.id).sessions
        assert session.state is SessionState.DONE, session.reason
        assert (session.attempt, session.cli_session) == (2, stopped.cli_session)
        assert (session.files, session.final_message) == (("a.txt", "b.txt", "up"), "Two.")
        if name != "codex":
            kept = rig.repo.git("log", "--format=%s", f"refs/abreast/agent/{one}")
            assert "Own" in kept.splitlines()
        assert rig.fingerprints() == before
        assert login is None or login.read_text() == LOGIN
        assert not list(Path(session.directory).parent.glob("[0-9]*/tmp"))


LOGIN = json.dumps({"claudeAiOauth": {"accessToken": "none", "expiresAt": 0}})


def with_login(home: Path) -> Path:
    folder = home / ".claude"
    folder.mkdir()
    (folder / ".credentials.json").write_text(LOGIN)
    (folder / "settings.json").write_text("{}")
    return folder / ".credentials.json"


def test_codex_works_in_it_with_an_older_bubblewrap_on_its_path(
    tmp_path: Path,
) -> None:
    with rigged("codex", tmp_path) as rig, pytest.MonkeyPatch.context() as patch:
        confine(rig, mode="auto")
        found = rig.root / "bin"
        found.mkdir()
        (found / "bwrap").symlink_to(require_bubblewrap().resolve())
        patch.setenv("PATH", f"{found}:{os.environ['PATH']}")
        run = rig.stage.run(
            rig.task("one", Write("a.txt", "1\n"), Shell("cp a.txt b.txt"), Say("A."))
        )
        [session] = run.sessions
        assert session.state is SessionState.DONE, session.reason
        assert session.files == ("a.txt", "b.txt")
        assert load_job(Path(session.directory) / "agent").confinement.program
