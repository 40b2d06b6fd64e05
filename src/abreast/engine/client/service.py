"""The worker as a service of the user's: systemd's on Linux, launchd's on macOS.

So runs go on by themselves after a restart. The files are the user's own; one that we have not
written is left alone.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from abreast.engine.common.worker_process import successor
from abreast.errors import AbreastError, StateError
from abreast.model.changes import Confirm, Connection, FileChange, Scope
from abreast.places import Places, find_places
from abreast.process.command import run
from abreast.process.files import write_atomic

_MARK = "abreast worker disable"  # in each file of ours
_HIDDEN = "(hidden)"
_LINGER = "it starts when you log in; `loginctl enable-linger` has it start with the machine"
_ENV, _SPECIAL = "/usr/bin/env", "\"'\\$"
_WAIT = 20.0  # seconds for the service manager


@dataclass(frozen=True)
class Service:
    """What has the worker started: the file that says how, and the link that enables it, if any.

    `start` and `stop` are commands that tell the service manager of it.
    """

    file: Path
    text: str
    link: Path | None
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]
    secrets: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether it is there, and of ours."""
        linked = self.link is None or self.link.is_symlink()
        return linked and self.file.is_file() and _MARK in self.file.read_text(errors="replace")

    @property
    def current(self) -> bool:
        """Whether it is there as we would write it now."""
        return self.enabled and self.file.read_text(errors="replace") == self.text


def service_of(places: Places, environ: Mapping[str, str], platform: str = sys.platform) -> Service:
    """Return the service of this state folder's worker. Raises StateError where there is none."""
    home = Path(environ.get("HOME") or Path.home())
    name = "abreast-worker"
    if places.state != find_places({"HOME": str(home)}).state:  # others have their own
        name += f"-{crc32(os.fsencode(places.state)):08x}"
    order = successor(places)
    argv = order.argv[: order.argv.index("--idle-exit")]
    env = {name: order.env[name] for name in ("PATH", "ABREAST_AGENTS") if name in order.env}
    env["ABREAST_STATE_DIR"] = str(places.state)
    own = f"sqlite:///{places.state / 'abreast.db'}"
    secrets = () if places.database == own else (places.database,)
    env |= {"ABREAST_DB": places.database} if secrets else {}
    if platform == "darwin":
        file = home / "Library" / "LaunchAgents" / f"dev.{name}.plist"
        domain = f"gui/{os.getuid()}"
        start, stop = ("bootstrap", domain, str(file)), ("bootout", f"{domain}/dev.{name}")
        text = plist_text(f"dev.{name}", argv, env, order.log)
        return Service(file, text, None, (("launchctl", *start),), (("launchctl", *stop),), secrets)
    if platform != "linux":
        raise StateError(f"abreast knows no service manager of {platform}")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    folder, unit = config / "systemd" / "user", f"{name}.service"
    link = folder / "default.target.wants" / unit
    ours = ("systemctl", "--user")
    start_unit = ((*ours, "daemon-reload"), (*ours, "start", "--no-block", unit))
    stop_unit = ((*ours, "stop", unit), (*ours, "daemon-reload"))
    text = unit_text(argv, env)
    return Service(folder / unit, text, link, start_unit, stop_unit, secrets)


def unit_text(argv: tuple[str, ...], env: Mapping[str, str]) -> str:
    """Return the unit for systemd that runs `argv`.

    Only the worker itself is stopped with it: agents go on under their runners, in its group.
    """
    lines = [f"Environment={_quoted(f'{name}={value}')}" for name, value in env.items()]
    # systemd takes the program's own name as it stands, and none with such characters in it.
    through = () if set(argv[0]).isdisjoint(_SPECIAL) and argv[0].isprintable() else (_ENV,)
    command = " ".join(_quoted(word, command=True) for word in (*through, *argv))
    return "\n".join(
        [
            f"# Written by `abreast worker enable`; `{_MARK}` removes it.",
            "[Unit]",
            "Description=abreast: goes on with runs that have not ended",
            "",
            "[Service]",
            *lines,
            f"ExecStart={command}",
            "KillMode=process",
            "Restart=on-failure",
            "RestartSec=30",
            "",
            "[Install]",
            "WantedBy=default.target",
            "",
        ]
    )


def _quoted(word: str, *, command: bool = False) -> str:
    """Return a word as systemd reads it back: see systemd.syntax(7) and systemd.unit(5)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    # A carriage return ends a line as well.
    escaped = "".join(f"\\x{ord(one):02x}" if one < " " else one for one in escaped)
    return f'"{escaped.replace("$", "$$") if command else escaped}"'


def plist_text(label: str, argv: tuple[str, ...], env: Mapping[str, str], log: str) -> str:
    """Return the agent for launchd that runs `argv`; what it leaves running is left alone."""
    import plistlib

    told = {
        "Label": label,
        "ProgramArguments": list(argv),
        "EnvironmentVariables": dict(env),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "AbandonProcessGroup": True,
        "StandardErrorPath": log,
    }
    text = plistlib.dumps(told).decode()
    head, _, rest = text.partition("<plist")
    return f"{head}<!-- `{_MARK}` removes it -->\n<plist{rest}"


def set_service(
    places: Places, environ: Mapping[str, str], confirm: Confirm | None, *, remove: bool = False
) -> Connection:
    """Write the files of the service and start it, or undo that; nothing when it is so already.

    Raises StateError for a file that somebody else has written: then nothing changes.
    """
    service = service_of(places, environ)
    there = service.file.exists() or bool(service.link and service.link.is_symlink())
    asked = Connection("worker", Scope.USER, remove, ())
    if (not there) if remove else service.current:
        return asked
    if service.file.exists() and _MARK not in service.file.read_text(errors="replace"):
        raise StateError(f"{service.file} is not abreast's", hint="move it away first")
    asked = Connection("worker", Scope.USER, remove, tuple(_changes(service, remove=remove)))
    if confirm is not None and not confirm(asked):
        return asked
    notes = _take(service) if remove else _give(service, places)
    return Connection("worker", Scope.USER, remove, asked.changes, tuple(notes), applied=True)


def _changes(service: Service, *, remove: bool) -> list[FileChange]:
    action, sign = ("remove", "-") if remove else ("create", "+")
    text = service.file.read_text() if remove and service.file.exists() else service.text
    for secret in service.secrets:
        text = text.replace(_quoted(secret)[1:-1], _HIDDEN).replace(secret, _HIDDEN)
    lines = "".join(f"{sign}{line}\n" for line in text.splitlines())
    changes = [FileChange(service.file, action, f"{sign * 3} {service.file}\n{lines}")]
    if service.link is not None:
        diff = f"{sign * 3} {service.link} -> {service.file}\n"
        changes.append(FileChange(service.link, action, diff))
    return changes


def _give(service: Service, places: Places) -> list[str]:
    places.make()
    try:
        service.file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(service.file, service.text, mode=0o600)
        if service.link is not None:
            service.link.parent.mkdir(exist_ok=True)
            service.link.unlink(missing_ok=True)
            service.link.symlink_to(service.file)
    except OSError as failure:
        raise StateError(f"{service.file} cannot be written: {failure.strerror}") from failure
    notes = [_LINGER] if service.link is not None else []
    return [*_tell(service.start), *notes]


def _take(service: Service) -> list[str]:
    if service.link is not None:
        service.link.unlink(missing_ok=True)
    told = _tell(service.stop[:1])  # while its file is there
    service.file.unlink(missing_ok=True)
    return [*told, *_tell(service.stop[1:])]


def _tell(commands: tuple[tuple[str, ...], ...]) -> list[str]:
    """Tell the service manager; return what a person should know where there is none now."""
    for argv in commands:
        try:
            run(argv, timeout=_WAIT)
        except AbreastError:
            return [f"`{' '.join(argv)}` did not work: that takes effect at your next login"]
    return []
