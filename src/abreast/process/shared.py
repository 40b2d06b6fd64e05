"""Recognises processes that serve others too, and so outlive the job that started them.

The first program that needs one starts it, and every later one of the same user finds it there: an
agent's `tmux` starts the server in which the user opens a window afterwards. Ending it would take
the user's own work along. What can be had again at any time (a compiler's or a build's daemon, a
language server, a watcher of files) is not among them.
"""

import os

from abreast.process.identity import Stat

# As /proc/PID/stat gives them: 15 characters at most.
_NAMES = frozenset(
    {
        "tmux: server",
        "screen",
        "zellij",
        "mosh-server",
        "ssh-agent",
        "gpg-agent",
        "keyboxd",
        "scdaemon",
        "dirmngr",
        "gnome-keyring-d",
        "dbus-daemon",
        "dbus-broker",
        "dockerd",
        "containerd",
        "containerd-shim",
        "conmon",
        "buildkitd",
    }
)
# Of a command line, its arguments parted by spaces.
_CREDENTIALS = "credential-cache--daemon"
_ABREAST = (
    "-m abreast.engine.working.worker ",
    "-m abreast.engine.worker ",  # of an earlier abreast, which may be at work still
    "-m abreast.runner ",
)


def is_shared(stat: Stat, *, marked: bool) -> bool:
    """Return whether a process serves others too: a terminal, keys, containers, abreast itself.

    Judged by its name or command line, which a process can choose. A worker or runner that is
    `marked` as the job's is that job's own.
    """
    if stat.name in _NAMES:
        return True
    line = command_line(stat.pid)
    if not marked and any(part in line for part in _ABREAST):
        return True
    connection = line.startswith("ssh: ") and line.rstrip().endswith("[mux]")
    return connection or _CREDENTIALS in line


def command_line(pid: int) -> str:
    """Return a process's command line, its arguments parted by spaces; "" when it has gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123 - fast
            return os.fsdecode(file.read().replace(b"\0", b" "))
    except OSError:
        return ""
