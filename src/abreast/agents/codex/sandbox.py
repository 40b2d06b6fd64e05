"""Which bubblewrap Codex's sandbox runs by on Linux: its own, or one that it finds on PATH.

Codex takes the one on PATH where there is one that works, and its own else (0.160.0 to 0.169.0).
One without `--argv0` (before 0.9.0, as in Debian 12 and Ubuntu 22.04) it can start only through a
helper below CODEX_HOME; where the sandbox hides that, or Codex makes none, as in a temporary
folder, every edit fails, and the session ends well and has changed nothing.
"""

import shutil
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from abreast.agents.base import Installed, Launch, Relied

_NAME = "bwrap"
_NEEDED = b"argv0"  # in the program's text, as in its help, which Codex reads


def own_bubblewrap(installed: Installed) -> Path | None:
    """Return the bubblewrap that is in Codex's package; None when there is none."""
    path = installed.path.parent.parent / "codex-resources" / _NAME
    return path if path.is_file() else None


def pinned(launch: Launch) -> Path | None:
    """Return the folder to put before PATH so that Codex takes its own; None to leave it as it is.

    It is left to take one that is new enough: on systems that let no other program make a
    namespace (AppArmor in Ubuntu from 24.04 on), only that one works. For the same reason it is
    left one that runs with the rights of root.
    """
    found, own = _on_path(launch.environ), own_bubblewrap(launch.installed)
    if own is None or found is None or _fit(found):
        return None
    return launch.directory / "bin"


def program(launch: Launch) -> dict[Path, str]:
    """Return the file in that folder. A link would not do: Codex skips one to its own."""
    folder, own = pinned(launch), own_bubblewrap(launch.installed)
    if folder is None or own is None:
        return {}
    quoted = str(own).replace("'", "'\\''")
    return {folder / _NAME: f"#!/bin/sh\nexec '{quoted}' \"$@\"\n"}


def environment(launch: Launch) -> Mapping[str, str]:
    """Return the environment in which Codex finds the right one."""
    folder = pinned(launch)
    if folder is None:
        return launch.environ
    return {**launch.environ, "PATH": f"{folder}:{launch.environ.get('PATH', '')}"}


def relied_on(installed: Installed, environ: Mapping[str, str]) -> Relied | None:
    """Tell which bubblewrap a session's sandbox will run by; None where there is no such thing."""
    if not sys.platform.startswith("linux"):
        return None
    found, own = _on_path(environ), own_bubblewrap(installed)
    if found is not None and (own is None or _fit(found)):
        said = "" if _fit(found) else "it is older than 0.9.0: install a newer one if edits fail"
        return Relied(_NAME, found, said)
    if own is None:
        hint = "its sandbox needs bubblewrap: install it, or Codex from npm, which brings one"
        return Relied(_NAME, None, hint)
    said = f"Codex's own; {found} is older than 0.9.0 and is not used" if found else "Codex's own"
    return Relied(_NAME, own, said)


def _on_path(environ: Mapping[str, str]) -> Path | None:
    found = shutil.which(_NAME, path=environ.get("PATH", ""))
    return Path(found) if found and sys.platform.startswith("linux") else None


def _fit(path: Path) -> bool:
    """Return whether Codex can do with this one; one that cannot be read counts as such."""
    try:
        privileged = path.stat().st_mode & stat.S_ISUID
        return bool(privileged) or _NEEDED in path.read_bytes()
    except OSError:
        return True
