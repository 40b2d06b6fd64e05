"""Environments for child processes: allow-lists, never a copy of ours."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

SESSION = "ABREAST_SESSION"  # in a session: its id
BROUGHT = "ABREAST_AGENTS"  # agents beyond those that are built in (see `abreast.agents`)
DEPTH = "ABREAST_DEPTH"  # in a child: 1, because a child may not delegate
BROKER = "ABREAST_BROKER"  # in a sandbox: the Unix socket that leads out of it
CONFINED = "ABREAST_CONFINED"  # outside, for a session in a sandbox: `bwrap`, and perhaps OFFLINE
OFFLINE = "offline"  # it has no network of its own

# What a program needs to behave as it does in the user's own shell, and nothing that opens doors.
ORDINARY = (
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TMPDIR",
    "XDG_*",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "JAVA_HOME",
    "GOPATH",
    "GOROOT",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "PNPM_HOME",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NIX_SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_SYSTEM_CA",
    "NODE_USE_ENV_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "ABREAST_RETRIES",
    BROUGHT,  # a runner reads their streams as well
)
_GLOB = frozenset("*?[")


def allow(environ: Mapping[str, str], *patterns: str, also: Iterable[str] = ()) -> dict[str, str]:
    """Return the variables whose names match `ORDINARY`, `patterns` or `also` (shell globs)."""
    wanted = {*ORDINARY, *patterns, *also}
    globs = {pattern for pattern in wanted if not _GLOB.isdisjoint(pattern)}
    names = wanted - globs  # most: one look-up decides, where matching each takes a millisecond
    return {
        name: value
        for name, value in environ.items()
        if name in names or any(fnmatchcase(name, pattern) for pattern in globs)
    }
