"""Places of a user's machine that matter to a sandbox: caches, secrets, sockets, programs."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from abreast.agents.base import which

# What package managers and build tools keep for all projects: by the program that uses it.
CACHES: Mapping[str, tuple[str, ...]] = {
    "uv": (".cache/uv",),
    "python3": (".cache/pip",),
    "poetry": (".cache/pypoetry",),
    "pdm": (".cache/pdm",),
    "pre-commit": (".cache/pre-commit",),
    "npm": (".npm",),
    "pnpm": (".cache/pnpm", ".local/share/pnpm/store"),
    "yarn": (".cache/yarn", ".yarn/berry"),
    "bun": (".bun/install/cache",),
    "deno": (".cache/deno",),
    "cargo": (".cargo/registry", ".cargo/git"),
    "go": (".cache/go-build", "go/pkg"),
    "gradle": (".gradle",),
    "mvn": (".m2",),
    "sbt": (".ivy2", ".cache/coursier"),
    "dotnet": (".nuget/packages",),
    "composer": (".cache/composer",),
    "bundle": (".bundle/cache",),
    "ccache": (".cache/ccache",),
}
_NAMED = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "npm_config_cache", "GOCACHE", "GOMODCACHE")
"""Variables that name such a folder elsewhere, where the plan passes them on."""

# From the user's home; some as patterns.
SECRET = (
    *(".ssh", ".gnupg", ".aws", ".kube", ".docker", ".config/gcloud", ".config/gh"),
    *(".config/glab-cli", ".config/op", ".config/rclone", ".config/doctl", ".oci", ".terraform.d"),
    *(".netrc", "_netrc", ".git-credentials", ".config/git/credentials", ".pgpass", ".my.cnf"),
    *(
        ".pypirc",
        ".vault-token",
        ".password-store",
        ".local/share/keyrings",
        ".local/share/kwalletd",
    ),
    ".config/abreast",  # its `[notify]` may name an address that is a secret
    *(".1password", ".bitwarden-ssh-agent.sock", ".config/Bitwarden", ".config/1Password"),
    *(".bash_history", ".zsh_history", ".local/share/fish", ".python_history", ".psql_history"),
    *(".Xauthority", ".ICEauthority", ".config/systemd", ".config/autostart", ".colima", ".rd"),
    # Browsers and mail.
    *(
        ".mozilla",
        ".cache/mozilla",
        ".thunderbird",
        ".config/*chrom*",
        ".cache/*chrom*",
    ),
    *(".config/BraveSoftware", ".config/microsoft-edge"),
    *(".config/vivaldi", ".config/opera", ".librewolf", ".var/app", "snap"),
)
SOCKETS = ("/var/lib/lxd", "/var/snap/lxd", "/var/lib/docker", "/var/lib/incus")
# Folders in which programs leave sockets and files for each other.
SHARED = ("/tmp", "/var/tmp", "/run", "/dev")  # noqa: S108 - they are hidden
# Of /run, what name look-ups and some systems' programs need.
NEEDED = (
    *("/run/systemd/resolve", "/run/resolvconf", "/run/connman", "/run/nscd", "/run/netconfig"),
    *("/run/NetworkManager/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"),
    *("/run/current-system", "/run/booted-system", "/run/opengl-driver", "/run/wrappers"),
)
DOORS = (
    *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS"),
    *("DISPLAY", "WAYLAND_DISPLAY", "DOCKER_HOST", "XDG_RUNTIME_DIR"),
)
"""Variables that name a way out."""


def caches(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the caches of those programs that are on PATH; what is not there yet is made."""
    home = Path(environ.get("HOME") or "/")
    for program, names in CACHES.items():
        if which(environ, program) is not None:
            yield from (home / name for name in names)
    yield from (Path(environ[name]) for name in _NAMED if environ.get(name, "").startswith("/"))


def programs(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where the programs on PATH and what variables name lie, as far as it can be hidden."""
    for name in environ.get("PATH", "").split(os.pathsep):
        folder = Path(name)
        if folder.is_absolute():
            yield folder
            if folder.name in {"bin", ".bin"}:
                yield folder.parent
            yield from filter(None, (_package(folder),))
    for name, value in environ.items():
        if name.endswith(_FOLDERS) and value.startswith("/"):
            yield Path(value)


_FOLDERS = ("_HOME", "_ROOT", "_PREFIX", "VIRTUAL_ENV", "GOROOT", "_CERTS", "_CERT_FILE", "_BUNDLE")


def _package(path: Path) -> Path | None:
    """Return the outermost `node_modules` that a path lies in."""
    parts = path.parts
    return Path(*parts[: parts.index("node_modules") + 1]) if "node_modules" in parts else None


def beneath(paths: Iterable[Path], hidden: Iterable[str]) -> tuple[str, ...]:
    """Return those of the paths that lie in one of the `hidden` folders, resolved, each once."""
    real = (os.path.realpath(path) for path in paths)
    found = (path for path in real if any(path.startswith(f"{folder}/") for folder in hidden))
    return tuple(dict.fromkeys(found))


def secrets(home: Path) -> Iterator[Path]:
    """Yield what of a home no session may see, there or not."""
    for name in SECRET:
        yield from home.glob(name) if "*" in name else (home / name,)
