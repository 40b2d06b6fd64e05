"""Tell a person of an alert who looks at something else: on the desktop, and by their own command.

What an agent wrote is an argument or standard input, never a part of a script.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from abreast import codec
from abreast.agents.base import which
from abreast.errors import CommandError
from abreast.model.alert import Alert, NotifySettings
from abreast.process.command import run
from abreast.process.environment import allow

_MAC = "osascript"
_PATIENCE = 10.0  # seconds for the one that tells
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


def can_tell(settings: NotifySettings, environ: Mapping[str, str]) -> bool:
    """Return whether there is any way to tell somebody."""
    return bool(settings.command) or (settings.desktop and bool(_desktop(environ)))


def deliver(alert: Alert, settings: NotifySettings, environ: Mapping[str, str]) -> list[str]:
    """Tell it in each way that the settings have, and return what went wrong.

    It takes at most 20 seconds. The user's own command runs in their home, with what is ordinary of
    `environ`.
    """
    env = allow(environ, "DBUS_SESSION_BUS_ADDRESS")
    home = Path(env.get("HOME") or "/")
    ways: list[tuple[tuple[str, ...], str]] = []
    if settings.desktop and (begin := _desktop(environ)):
        markup = alert.text.replace("&", "&amp;").replace("<", "&lt;")
        text = alert.text if begin[0] == _MAC else markup
        ways.append(((*begin, alert.title, text), ""))
    if settings.command:
        ways.append((("sh", "-c", settings.command), codec.text(alert)))
    failed = []
    for argv, given in ways:
        try:
            cwd = home if home.is_dir() else Path("/")
            run(argv, cwd=cwd, env=env, stdin=given, timeout=_PATIENCE)
        except CommandError as failure:
            failed.append(failure.message)
    return failed


def _desktop(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what shows a title and a text on this desktop; nothing where there is none."""
    if sys.platform == "darwin":
        return (_MAC, *(part for line in _SCRIPT for part in ("-e", line)))
    seen = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    program = which(environ, "notify-send") if seen else None
    return () if program is None else (str(program), "--app-name=abreast", "--")
