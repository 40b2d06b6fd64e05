"""Which bubblewrap Codex's sandbox runs by: with none, an old one and a new one on PATH."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.agents.base import Installed, Launch, Relied
from abreast.agents.codex import install
from abreast.agents.codex.agent import AGENT
from abreast.model.events import Outcome
from abreast.model.moves import Say, Scenario, Shell, Write
from tests.agents.codex.desk import Desk, open_desk
from tests.support.clis import run_cli, run_command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is none")


def program(path: Path, text: str = "", mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return path


@pytest.fixture
def codex(tmp_path: Path) -> Installed:
    """A package of Codex with a bubblewrap in it."""
    program(tmp_path / "pack'age/codex-resources/bwrap")
    return Installed(program(tmp_path / "pack'age/bin/codex"), "0.169.0")


@pytest.fixture
def launch(tmp_path: Path, codex: Installed) -> Launch:
    return Launch(
        installed=codex,
        directory=tmp_path / "session",
        worktree=tmp_path / "tree",
        git_dir=tmp_path / "git",
        common_dir=tmp_path / "git",
        environ={"PATH": f"{tmp_path / 'system'}:/nowhere", "HOME": str(tmp_path)},
    )


def own(codex: Installed) -> Path:
    return codex.path.parent.parent / "codex-resources/bwrap"


def told(launch: Launch) -> Relied | None:
    found = AGENT.relies_on(launch.installed, launch.environ)
    return next((one for one in found if one.name == "bwrap"), None)


def test_an_old_one_is_kept_from_it(launch: Launch, tmp_path: Path) -> None:
    old = program(tmp_path / "system/bwrap", "echo --bind-data")
    command = AGENT.headless(launch)
    folder = launch.directory / "bin"
    assert command.env["PATH"] == f"{folder}:{launch.environ['PATH']}"
    assert command.files[folder / "bwrap"].startswith("#!")
    one = told(launch)
    assert one is not None
    assert one.path == own(launch.installed)
    assert str(old) in one.note


@pytest.mark.parametrize("mode", [0o755, 0o4755], ids=["new", "privileged"])
def test_one_that_will_do_is_left_to_it(launch: Launch, tmp_path: Path, mode: int) -> None:
    text = "echo --argv0 VALUE" if mode == 0o755 else "echo old"
    found = program(tmp_path / "system/bwrap", text, mode)
    command = AGENT.headless(launch)
    assert command.env == launch.environ
    assert not any(path.name == "bwrap" for path in command.files)
    assert told(launch) == Relied("bwrap", found)


def test_without_one_it_takes_its_own(launch: Launch) -> None:
    assert AGENT.headless(launch).env == launch.environ
    assert told(launch) == Relied("bwrap", own(launch.installed), "Codex's own")


def test_without_any_that_is_told(launch: Launch) -> None:
    own(launch.installed).unlink()
    one = told(launch)
    assert one is not None
    assert one.path is None
    assert "install it" in one.note


def test_an_old_one_is_all_there_is(launch: Launch, tmp_path: Path) -> None:
    own(launch.installed).unlink()
    old = program(tmp_path / "system/bwrap")
    assert AGENT.headless(launch).env == launch.environ
    one = told(launch)
    assert one is not None
    assert one.path == old
    assert "older than 0.9.0" in one.note


OLD = """\
for word; do case $word in --argv'0') echo "Unknown option $word" >&2; exit 1;; esac; done
case $1 in --help) '{own}' --help | grep -v argv'0';; *) exec '{own}' "$@";; esac"""


@pytest.fixture
def desk(scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_desk(monkeypatch) as desk:
        yield desk


def old_bubblewrap(installed: Installed, folder: Path) -> Path:
    """Codex's own without what 0.8.0 lacks."""
    bundled = install.own_bubblewrap(installed)
    assert bundled is not None
    program(folder / "bwrap", OLD.format(own=bundled))
    return folder


@pytest.mark.clis
def test_with_an_old_one_on_path_a_session_edits(desk: Desk, tmp_path: Path) -> None:
    """In a home below /dev or in a temporary folder, where the old one cannot start Codex."""
    launch = desk.launch("edit", environ={"ABREAST_RETRIES": "1"})
    folder = old_bubblewrap(launch.installed, desk.root / "old")
    home = tmp_path / "codex-home"
    shutil.copytree(desk.home / ".codex", home)
    path = f"{folder}:{launch.environ['PATH']}"
    found = {**launch.environ, "PATH": path, "CODEX_HOME": str(home)}
    launch = replace(launch, environ=found)
    moves = (Write("made.txt", "x\n"), Shell("echo y > shell.txt"), Say("Done."))
    desk.server.add(Scenario("edit", moves))

    unpinned = AGENT.headless(replace(launch, prompt="edit"))
    ran = run_command(AGENT, replace(unpinned, env=found), launch)
    assert not (desk.tree / "made.txt").exists(), "it would have worked without us"

    ran = run_cli(AGENT, launch)
    assert ran.verdict.outcome is Outcome.OK, (ran.verdict, ran.stderr)
    assert (desk.tree / "made.txt").read_text() == "x\n"
    assert (desk.tree / "shell.txt").read_text() == "y\n"
