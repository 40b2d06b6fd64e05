"""The verb: the newest session here, a file, a check, what it refuses."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from abreast.engine.client.requests import connect
from abreast.handoff.page import read_header
from abreast.places import Places
from abreast.store.rows import SessionUpdate
from tests.store.samples import make_run
from tests.support.clis import base_environ
from tests.support.handoffs import RECORDED

PROGRAM = Path(sys.executable).with_name("abreast")
_CWD = "/tmp/abreast-transcripts/claude/work"


class Desk:
    """Somebody in a repository, with sessions of Claude Code that began in it."""

    def __init__(self, repo, tmp_path):
        self.repo, self.home = repo, tmp_path / "home"
        self.state = tmp_path / "state"
        self.projects = self.home / ".claude/projects/here"
        self.projects.mkdir(parents=True)

    def session(self, name: str, age: float = 0) -> Path:
        """A recorded session as if it had begun in the repository."""
        [source] = (RECORDED / "claude" / name / "projects").glob("*/*.jsonl")
        file = self.projects / source.name
        file.write_text(source.read_text().replace(_CWD, str(self.repo.path)))
        os.utime(file, (time.time() - age,) * 2)
        return file

    def abreast(self, *arguments: str, cwd: Path | None = None, stdin: str = ""):
        return subprocess.run(
            [PROGRAM, "handoff", *arguments],
            cwd=cwd or self.repo.path,
            env=base_environ(self.home) | {"ABREAST_STATE_DIR": str(self.state)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def desk(repo, tmp_path):
    return Desk(repo, tmp_path)


def test_the_newest_session_here(desk):
    desk.session("plain", age=100)
    newest = desk.session("killed")
    done = desk.abreast()
    assert (done.returncode, done.stderr) == (0, "")
    assert read_header(done.stdout).session == newest.stem
    assert done.stdout.startswith("# Current work\n")
    (desk.repo.path / "src").mkdir(exist_ok=True)
    assert read_header(desk.abreast(cwd=desk.repo.path / "src").stdout).session == newest.stem
    assert not desk.state.exists()  # nothing but reading


def test_no_attempt_of_abreasts_own_is_one_by_hand(desk):
    by_hand, ours = desk.session("plain", age=100), desk.session("killed")
    places = Places(desk.state, f"sqlite:///{desk.state / 'abreast.db'}")
    with connect(places) as client:
        client.store.add_run(make_run("r1", tasks=1), "{}")
        for cli_session in (ours.stem, "another"):  # as a retry afresh does
            client.store.update_session("r1/t0", SessionUpdate(cli_session=cli_session))
    assert read_header(desk.abreast().stdout).session == by_hand.stem


def test_a_file_an_id_and_its_beginning(desk):
    file = desk.session("plain")
    for name in (str(file), file.stem, file.stem[:8]):
        assert read_header(desk.abreast(name).stdout).session == file.stem


def test_it_is_written_and_checked(desk):
    desk.session("plain")
    done = desk.abreast("--out", "CURRENT_WORK.md")
    assert done.stdout == ""
    assert done.stderr.startswith("wrote CURRENT_WORK.md (")
    fresh = desk.abreast("--check")
    assert fresh.returncode == 0
    assert fresh.stdout.startswith(f"fresh: {desk.repo.path / 'CURRENT_WORK.md'} is of ")
    desk.repo.commit("more", {"more.py": "1\n"})
    stale = desk.abreast("--check", "CURRENT_WORK.md")
    assert stale.returncode == 1
    assert "1 commit behind HEAD" in stale.stdout
    found = json.loads(desk.abreast("--check", "--json").stdout)
    assert found["schema"] == 1
    assert found["freshness"]["behind"] == 1
    assert found["freshness"]["stale"] is True


def test_a_file_of_somebody_else_is_not_overwritten(desk):
    desk.session("plain")
    (desk.repo.path / "CURRENT_WORK.md").write_text("mine\n")
    done = desk.abreast("--out", "CURRENT_WORK.md")
    assert done.returncode == 1
    assert "is not a handoff of abreast" in done.stderr
    assert (desk.repo.path / "CURRENT_WORK.md").read_text() == "mine\n"
    assert desk.abreast("--out", "CURRENT_WORK.md", "--force").returncode == 0


def test_json(desk):
    file = desk.session("plain")
    found = json.loads(desk.abreast("--json").stdout)["handoff"]
    assert found["header"]["session"] == file.stem
    assert found["next_step"][0] == "Answer the agent: Shall I add a changelog entry?"
    assert found["tokens"] <= 600
    every = json.loads(desk.abreast("--all", "--json").stdout)["handoffs"]
    assert [one["header"]["session"] for one in every] == [file.stem]
    listed = desk.abreast("--all")
    assert listed.stdout.splitlines() == [
        f"1 handoff, {found['tokens']} tokens",
        f"{file.stem}  claude, {found['tokens']} tokens",
        f"  {found['right_now']}",
        "  next: Answer the agent: Shall I add a changelog entry?",
    ]
    assert listed.stderr == f"next: abreast handoff {file.stem} prints one, --details all\n"
    assert "## Next step" in desk.abreast("--all", "--details").stdout


def test_a_smaller_one(desk):
    desk.session("plain")
    desk.repo.write({f"a-rather-long-name-{number}.txt": "x" for number in range(30)})
    found = json.loads(desk.abreast("--json", "--tokens", "250").stdout)["handoff"]
    assert found["tokens"] <= 250
    assert found["left_out"] > 0


def test_there_may_be_none(desk):
    done = desk.abreast()
    assert done.returncode == 1
    assert "no session of Claude Code, Codex CLI or Gemini CLI was started in" in done.stderr
    assert desk.abreast("no-such-session").returncode == 1
    assert desk.abreast("--all").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all", "run/a"),
        ("--all", "--out", "x.md"),
        ("--details",),
        ("--check", "--all"),
        ("--check", "--hook", "claude"),
        ("--check", "--with", "claude"),
        ("--remove",),
        ("--force",),
        ("--hook", "scripted"),
        ("--tokens", "10"),
    ],
)
def test_what_does_not_go_together(desk, arguments):
    assert desk.abreast(*arguments).returncode == 2


def test_the_hook_is_shown_and_not_put_in_unasked(desk):
    done = desk.abreast("--hook", "claude")
    assert done.returncode == 1
    assert '"SessionEnd"' in done.stdout
    assert done.stderr == "nothing was changed; `--yes` does it without asking\n"
    assert not (desk.home / ".claude/settings.json").exists()
    done = desk.abreast("--hook", "claude", "--yes")
    assert done.returncode == 0
    assert "note: handoffs go to" in done.stderr
    assert "already" in desk.abreast("--hook", "claude").stderr
    assert desk.abreast("--hook", "claude", "--remove", "--yes").returncode == 0
    assert not (desk.home / ".claude/settings.json").exists()


def test_the_hook_itself_says_nothing(desk):
    file = desk.session("killed")
    payload = json.dumps({"transcript_path": str(file), "cwd": str(desk.repo.path)})
    done = desk.abreast("--hooked", "claude", stdin=payload)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    [written] = desk.state.rglob("CURRENT_WORK.md")
    assert read_header(written.read_text()).session == file.stem
    assert desk.abreast("--check").returncode == 0  # it is found there
    shutil.rmtree(desk.projects)
    done = desk.abreast("--hooked", "claude", stdin=payload)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
