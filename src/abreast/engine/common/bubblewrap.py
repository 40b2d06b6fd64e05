"""The bubblewrap of this machine: where it is, whether it works here, and else what to do."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from abreast.agents.base import which
from abreast.errors import CommandError
from abreast.model.confinement import Confinement
from abreast.process.command import run
from abreast.process.confining import confined

_NAME = "bwrap"
_INSTALLERS = {
    "apt-get": "sudo apt install bubblewrap",
    "dnf": "sudo dnf install bubblewrap",
    "pacman": "sudo pacman -S bubblewrap",
    "zypper": "sudo zypper install bubblewrap",
    "apk": "sudo apk add bubblewrap",
}
_FORBIDDEN = {
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
        "1",
        "allow it in AppArmor: put a profile for bwrap with `userns,` into /etc/apparmor.d",
    ),
    "/proc/sys/kernel/unprivileged_userns_clone": (
        "0",
        "sudo sysctl kernel.unprivileged_userns_clone=1",
    ),
    "/proc/sys/user/max_user_namespaces": ("0", "sudo sysctl user.max_user_namespaces=15000"),
}
_LONGEST = 20.0  # seconds; it takes some 10 ms


@dataclass(frozen=True)
class Bubblewrap:
    """`program` is the one that works here; "" where none does, and `why` and `hint` say more."""

    program: str = ""
    why: str = ""
    hint: str = ""


def find_bubblewrap(environ: Mapping[str, str], named: str = "") -> Bubblewrap:
    """Return the bubblewrap to use: the one at the path `named`, else the one on PATH.

    It is tried once, with a process that does nothing.
    """
    if not sys.platform.startswith("linux"):
        return Bubblewrap("", "there is bubblewrap for Linux only")
    found = Path(named) if named else which(environ, _NAME)
    if found is None or not found.is_file():
        if named:
            anew = '`abreast settings set sandbox.program ""` takes the one on PATH'
            return Bubblewrap("", f"{named} is not there", anew)
        return Bubblewrap("", "bubblewrap is not installed", _install_line(environ))
    return _tried(found, found.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _tried(program: Path, _changed: int) -> Bubblewrap:
    argv = confined(Confinement(program=str(program)), ("true",), "/")
    try:
        run(argv, env={"PATH": "/usr/bin:/bin"}, timeout=_LONGEST)
    except CommandError as error:
        said = " ".join(error.stderr.split())[-200:]
        return Bubblewrap("", f"{program} does not work here: {said}", _unlock())
    return Bubblewrap(str(program))


def _install_line(environ: Mapping[str, str]) -> str:
    lines = [line for tool, line in _INSTALLERS.items() if which(environ, tool)]
    return next(iter(lines), "install bubblewrap with your system's package manager")


def _unlock() -> str:
    """Return what lets bubblewrap work where the kernel forbids user namespaces."""
    for file, (forbids, hint) in _FORBIDDEN.items():
        try:
            if Path(file).read_text(encoding="ascii").strip() == forbids:
                return hint
        except OSError:
            continue
    return "in a container: run that with user namespaces allowed, or set sandbox to none"
