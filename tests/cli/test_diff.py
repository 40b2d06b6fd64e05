"""`abreast diff` as git shows diffs: colour and pager of the user's own git, and as merged."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.agents.base import Command
from abreast.cli.diff_view import coloured
from abreast.git.display import diff_display
from abreast.model.moves import Say, Shell
from abreast.places import find_places
from tests.cli.drawing import without_colour
from tests.cli.test_edge import abreast
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted, task, writes
from tests.support.terminal import AtTerminal

PATCH = """\
diff --git a/a.txt b/a.txt
index 1..2 100644
--- a/a.txt
+++ b/a.txt
@@ -1,2 +1,2 @@ def f():
 same
--- gone
+++ come
"""


@pytest.fixture
def home(scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_PAGER", "PAGER", "NO_COLOR", "GIT_CONFIG_GLOBAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return scratch_home


def configure(home: Path, text: str) -> None:
    (home / ".gitconfig").write_text(text)


def test_the_pager_is_the_one_that_git_would_take(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert diff_display().pager == "less"
    monkeypatch.setenv("PAGER", "more")
    assert diff_display().pager == "more"
    configure(home, "[core]\n\tpager = delta --dark")
    assert diff_display().pager == "delta --dark"
    configure(home, "[core]\n\tpager = delta\n[pager]\n\tdiff = diff-so-fancy | less")
    assert diff_display().pager == "diff-so-fancy | less"
    configure(home, "[core]\n\tpager = delta\n[pager]\n\tdiff = true")
    assert diff_display().pager == "delta"
    monkeypatch.setenv("GIT_PAGER", "cat")
    assert diff_display().pager == ""
    monkeypatch.delenv("GIT_PAGER")
    configure(home, "[pager]\n\tdiff = false")
    assert diff_display().pager == ""


def test_the_colours_are_those_of_the_users_git(home: Path) -> None:
    configure(home, "[color.diff]\n\told = magenta bold\n\tmeta =")
    shown = list(coloured(PATCH, diff_display().colours))
    assert without_colour("\n".join(shown)) == PATCH
    assert shown[0] == "diff --git a/a.txt b/a.txt"
    assert shown[4] == "\x1b[36m@@ -1,2 +1,2 @@\x1b[m def f():"
    assert shown[6:8] == ["\x1b[1;35m--- gone\x1b[m", "\x1b[32m+++ come\x1b[m"]
    configure(home, "[color]\n\tui = never")
    assert diff_display().colours == {}


@pytest.fixture
def stage(repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(repo.path)
    with Stage(find_places().make(), repo) as made:
        yield made


def test_on_a_terminal_the_users_pager_gets_it_and_no_program_of_the_repository(
    stage: Stage, home: Path, tmp_path: Path
) -> None:
    run = stage.run(
        task("one", scripted(Shell("printf 'a\\033]0;pwn\\007z\\n' > a.txt"), Say("ok")))
    )
    configure(home, f"[core]\n\tpager = tee {tmp_path}/paged | tr a-z A-Z")
    stage.repo.git("config", "core.pager", f"touch {tmp_path}/pwned; cat")
    argv = (sys.executable, "-m", "abreast", "diff", run.sessions[0].id)
    with AtTerminal(Command(argv, env=dict(os.environ)), stage.repo.path) as person:
        person.until("DIFF--GIT")
        assert person.ended() == 0
    paged = (tmp_path / "paged").read_text()
    assert "\x1b[32m+az\x1b[m" in paged
    assert not (tmp_path / "pwned").exists()
    piped = abreast("diff", run.sessions[0].id).stdout
    assert "\x1b[" not in piped
    assert "+a\x1b]0;pwn\x07z" in piped


def test_as_merged_is_what_landing_would_change_in_the_target_as_it_is_now(stage: Stage) -> None:
    long = "a-folder-whose-name-is-long/" * 4 + "file.txt"
    run = stage.run(
        task("clean", scripted(Shell(f"mkdir -p $(dirname {long}); echo x > {long}"), Say("ok"))),
        task("same", writes("same.txt", "same\n")),
        task("clash", writes("clash.txt", "mine\n")),
    )
    ids = [session.id for session in run.sessions]
    stage.repo.commit("theirs", {"same.txt": "same\n", "clash.txt": "theirs\n"})
    assert f"+++ b/{long}" in abreast("diff", ids[0], "--as-merged").stdout
    assert f" {long} | 1 +\n" in abreast("diff", ids[0], "--stat").stdout
    assert "+same" in abreast("diff", ids[1]).stdout
    assert abreast("diff", ids[1], "--as-merged").stdout == ""
    refused = abreast("diff", ids[2], "--as-merged", "--json")
    error = json.loads(refused.stdout)["error"]
    assert (refused.returncode, error["kind"]) == (1, "state")
    assert error["message"] == f'{ids[2]} conflicts with main in "clash.txt"'
