"""Completion in the real shells: what is installed is found by the shell, and completes names."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.cli.completion import SHELLS
from abreast.cli.edge import guard
from tests.cli.test_reading import recorded  # noqa: F401  (a fixture)
from tests.support.users import PROGRAM

Complete = Callable[..., list[str]]

# Each prints what the shell would offer for the words in "$@", the last of which is not finished.
BASH = """
shopt -s extglob
source {file}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() {{ :; }}  # it is for a key that was pressed
_abreast_completion abreast
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
fpath=({file:h} $fpath)
autoload -Uz _abreast
compadd() {{ print -rl -- "${{(@P)5}}" }}
_describe() {{ print -rl -- "${{(@P)3}}" }}
_path_files() {{ print -r -- "a file" }}
words=("$@") CURRENT=$#
_abreast
"""
FISH = 'complete -C "$argv"'
TASKS = {"retry-http", "csv-export", "document-the-report-command"}
FILES = {
    "bash": ".local/share/bash-completion/completions/abreast",
    "zsh": ".zfunc/_abreast",
    "fish": ".config/fish/completions/abreast.fish",
}


@pytest.fixture
def home(scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "BASH_COMPLETION_USER_DIR", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}:{os.environ['PATH']}")
    return scratch_home


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    if shutil.which(found) is None:
        pytest.skip(f"{found} is not installed")
    return found


@pytest.fixture
def complete(home: Path, shell: str) -> Complete:
    """What the shell offers once the completion is installed."""
    assert guard(["completion", "install", shell]) == 0
    file = home / FILES[shell]
    source = {"bash": BASH, "zsh": ZSH.replace("{file:h}", str(file.parent)), "fish": FISH}[shell]
    options = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": []}[shell]

    def offered(*words: str) -> list[str]:
        rest = [shell] if shell != "fish" else []  # the name of the script
        argv = [shell, *options, "-c", source.format(file=file), *rest, "abreast", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return [line.partition("\t")[0].partition(":")[0] for line in done.stdout.split("\n")[:-1]]

    return offered


def test_a_shell_offers_what_the_verb_takes(complete: Complete) -> None:
    assert complete("st") == ["status", "stop"]
    assert complete("run", "--agent", "") == ["claude", "codex", "gemini"]
    assert {*complete("demo", "--agent", "")} == {"scripted", "claude", "codex", "gemini"}
    assert complete("delegate", "What?", "--returns", "y") == ["yes-no"]
    assert complete("settings", "set", "limits.u") == ["limits.usd"]
    assert {*complete("completion", "")} == {*SHELLS, "install", "uninstall"}


def test_a_shell_offers_tasks_by_their_name(recorded: None, complete: Complete) -> None:  # noqa: F811
    assert complete("show", "c") == ["csv-export"]
    assert {*complete("show", "")} == TASKS
    assert complete("show", "k3v9/d") == ["k3v9/document-the-report-command"]
    assert {*complete("stop", "")} == {"k3v9", *TASKS}
    assert [one for one in complete("collect", "") if one] == [], "nobody has delegated anything"


@pytest.mark.parametrize("name", SHELLS)
def test_it_is_installed_once_and_taken_away_again(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / FILES[name]
    before = {path for path in home.rglob("*") if path.is_file()}
    assert guard(["completion", "install", name]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    text = file.read_text()
    assert guard(["completion", name]) == 0
    assert capsys.readouterr().out == text
    assert guard(["completion", "install", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    assert {path for path in home.rglob("*") if path.is_file()} == before | {file}
    assert guard(["completion", "uninstall", name]) == 0
    assert {path for path in home.rglob("*") if path.is_file()} == before
    assert guard(["completion", "uninstall", name]) == 0
    assert "is not there" in capsys.readouterr().err


def test_a_file_that_is_not_ours_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / FILES["fish"]
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n")
    for action in ("install", "uninstall"):
        assert guard(["completion", action, "fish"]) == 1
        assert "is not abreast's, and stays as it is\nhint: " in capsys.readouterr().err
    assert file.read_text() == "# mine\n"


def test_an_older_one_of_ours_is_replaced_where_it_is_kept(home: Path, tmp_path: Path) -> None:
    assert guard(["completion", "install", "fish"]) == 0
    file, kept = home / FILES["fish"], tmp_path / "dotfiles.fish"
    now = file.read_text()
    kept.write_text(now + "# as an older version wrote it\n")
    file.unlink()
    file.symlink_to(kept)
    assert guard(["completion", "install", "fish"]) == 0
    assert (file.is_symlink(), kept.read_text()) == (True, now)


def test_the_shell_is_that_of_the_user(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert guard(["completion", "install"]) == 0
    assert "fpath+=(~/.zfunc)" in capsys.readouterr().err
    (home / ".zshrc").write_text("fpath+=(~/.zfunc)\n")
    assert guard(["completion", "install"]) == 0
    assert "note" not in capsys.readouterr().err
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert guard(["completion", "install"]) == 2
    assert "$SHELL is none of bash, zsh, fish" in capsys.readouterr().err
