"""`abreast completion`: what makes a shell complete our command lines, printed or installed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from abreast.cli import as_json, options
from abreast.errors import StateError
from abreast.process.files import write_atomic

SHELLS = ("bash", "zsh", "fish")
_MARK = "Written by `abreast completion install`; `abreast completion uninstall` removes it."
_VARIABLE = "_ABREAST_COMPLETE"
_ACTIONS = ("install", "uninstall")
_MOST = 100_000  # bytes of a file that may be ours


@dataclass(frozen=True)
class Completion:
    """A shell's completion: the file that it is in or goes to, and what the user has to add.

    `changed` tells whether the file was written or removed just now.
    """

    shell: str
    file: Path
    changed: bool = False
    note: str = ""


@click.command()
@click.argument(
    "action",
    metavar="|".join((*SHELLS, *_ACTIONS)),
    type=click.Choice((*SHELLS, *_ACTIONS)),
    help="A shell, to print its script; install or uninstall, to write or remove its file",
)
@click.argument(
    "shell",
    metavar="[SHELL]",
    required=False,
    type=click.Choice(SHELLS),
    help="With install or uninstall: which shell; without it that of $SHELL",
)
@options.as_json
def completion(*, action: str, shell: str | None, json: bool) -> int:
    """Complete command lines in bash, zsh or fish

    Names of runs, sessions and tasks, agents and other values complete, too. `install` writes one
    file into the folder in which the shell looks for such scripts, and changes no other; a file of
    somebody else's there stays.

    \b
    Examples:
      abreast completion install
      source <(abreast completion bash)
    """  # noqa: D301 (\b tells the help not to wrap what follows)
    if action in SHELLS:
        if shell:
            raise click.UsageError(f"{action} takes no other shell")
        return _print(action, json=json)
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    if chosen not in SHELLS:
        raise click.UsageError(f"$SHELL is none of {', '.join(SHELLS)}: name one of them")
    found = (install if action == "install" else uninstall)(chosen, os.environ)
    if json:
        as_json.emit(found)
        return 0
    done = {("install", True): "wrote", ("uninstall", True): "removed"}
    alone = {"install": "is there already", "uninstall": "is not there"}
    if found.changed:
        click.echo(f"{done[action, True]} {found.file}")
    else:
        click.echo(f"{found.file} {alone[action]}; nothing to change", err=True)
    if found.note:
        click.echo(f"note: {found.note}", err=True)
    return 0


def _print(shell: str, *, json: bool) -> int:
    script = _script(shell)
    if json:
        as_json.emit({"shell": shell, "script": script})
    else:
        click.echo(script, nl=False)
    return 0


def install(shell: str, environ: Mapping[str, str]) -> Completion:
    """Write a shell's completion where the shell looks for it.

    Raises StateError for a file there that is not ours, or a folder that cannot be written.
    """
    file, script = _file(shell, environ), _script(shell)
    note = _note(shell, file, environ)
    if _ours(file) == script:
        return Completion(shell, file, note=note)
    target = file.resolve()  # people link such files to where they keep them
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, script, mode=0o644)
    except OSError as error:
        raise StateError(f"{file} cannot be written: {error.strerror}") from error
    return Completion(shell, file, changed=True, note=note)


def uninstall(shell: str, environ: Mapping[str, str]) -> Completion:
    """Remove what `install` has written; raises StateError for a file that is not ours."""
    file = _file(shell, environ)
    if _ours(file) is None:
        return Completion(shell, file)
    try:
        file.unlink()
    except OSError as error:
        raise StateError(f"{file} cannot be removed: {error.strerror}") from error
    return Completion(shell, file, changed=True)


def _ours(file: Path) -> str | None:
    """Return the text of a file that `install` has written, None where there is no file."""
    if not os.path.lexists(file):
        return None
    text = ""
    if file.is_file() and file.stat().st_size <= _MOST:
        text = file.read_text(encoding="utf-8", errors="replace")
    if _MARK not in text and not (file.is_symlink() and not file.exists()):
        hint = "move it away, or read the script in yourself: abreast completion SHELL"
        raise StateError(f"{file} is not abreast's, and stays as it is", hint=hint)
    return text


def _script(shell: str) -> str:
    """Return click's script for a shell, with our mark in its second line or its first."""
    from click.shell_completion import get_completion_class

    from abreast.cli.app import abreast

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 (click has these three)
    made: Any = kind(abreast, {}, "abreast", _VARIABLE)
    first, _, rest = str(made.source_template % made.source_vars()).partition("\n")
    # zsh wants its `#compdef` in the first line.
    lines = [first, f"# {_MARK}", rest] if first.startswith("#") else [f"# {_MARK}", first, rest]
    return "\n".join(lines).rstrip() + "\n"


def _file(shell: str, environ: Mapping[str, str]) -> Path:
    """Return the user's file of our completion, in the folder in which the shell looks."""
    home = Path.home()
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    if shell == "bash":  # of the package bash-completion
        own = environ.get("BASH_COMPLETION_USER_DIR")
        return Path(own or data / "bash-completion") / "completions" / "abreast"
    if shell == "fish":
        return config / "fish" / "completions" / "abreast.fish"
    return home / ".zfunc" / "_abreast"  # zsh has no folder of its own for users; many use this


def _note(shell: str, file: Path, environ: Mapping[str, str]) -> str:
    if shell == "bash":
        return f"bash reads it by the package bash-completion; without that: source {file}"
    if shell == "zsh" and ".zfunc" not in _zshrc(environ):
        return (
            "in .zshrc, before compinit: fpath+=(~/.zfunc); then: autoload -Uz compinit; compinit"
        )
    return ""


def _zshrc(environ: Mapping[str, str]) -> str:
    file = Path(environ.get("ZDOTDIR") or Path.home()) / ".zshrc"
    try:
        return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    except OSError:
        return ""
