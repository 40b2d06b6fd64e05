"""Which Codex CLI is here, without running it: version, login, sandbox, defects, prices."""

import os
import platform
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from abreast.agents.base import Installed, Launch, Login, LoginState, Relied, which
from abreast.agents.codex.config import Settings, codex_home, load_settings
from abreast.agents.hosts import host_of, https, named_by
from abreast.model.economy import Price, PriceList
from abreast.model.finding import Defect
from abreast.process.files import load_json

KEY = "OPENAI_API_KEY"
_PLATFORMS = {
    ("linux", "x86_64"): ("linux-x64", "x86_64-unknown-linux-musl"),
    ("linux", "aarch64"): ("linux-arm64", "aarch64-unknown-linux-musl"),
    ("darwin", "x86_64"): ("darwin-x64", "x86_64-apple-darwin"),
    ("darwin", "arm64"): ("darwin-arm64", "aarch64-apple-darwin"),
}


def find_codex(environ: Mapping[str, str]) -> Installed | None:
    """Return the native binary that `codex` on PATH stands for; None when there is none."""
    found = which(environ, "codex")
    if found is None:
        return None
    path = _native(found.resolve())
    return Installed(path, _version(path))


def login_of(environ: Mapping[str, str]) -> Login:
    """Return the login state; auth.json is not opened."""
    settings = load_settings(environ)
    provider = settings.provider
    if provider.key:
        if environ.get(provider.key):
            return Login(LoginState.READY, f"API key in {provider.key} for {provider.name}")
        return Login(
            LoginState.MISSING,
            f"config.toml names the provider {provider.name}, {provider.key} is not set",
            f"export {provider.key}=…",
        )
    if provider.name != "openai" and not (provider.table or {}).get("requires_openai_auth"):
        return Login(LoginState.UNKNOWN, f"up to the provider {provider.name} of config.toml")
    return _openai_login(environ, settings)


_LOGIN = https("auth.openai.com")  # where a ChatGPT account's token is renewed


def hosts_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what Codex reaches for its model, by the provider of the user's settings."""
    settings = load_settings(environ)
    base = str((settings.provider.table or {}).get("base_url", ""))
    if found := host_of(base):
        return (found, *(() if settings.provider.key else _LOGIN))
    own = host_of(str(settings.own.get("openai_base_url", "")))
    named = (own,) if own else named_by(environ, ("OPENAI_BASE_URL",))
    return (*(named or https("api.openai.com", "chatgpt.com")), *_LOGIN)


def _native(path: Path) -> Path:
    """Return the native binary behind npm's Node wrapper, else `path` itself.

    Killing the wrapper on an older Node leaves the real Codex at work. npm puts the binary's
    package next to the wrapper's or into it, so we look where Node would: in each `node_modules`
    from there upwards.
    """
    places = _PLATFORMS.get((sys.platform, platform.machine()))
    if path.suffix != ".js" or places is None:
        return path
    package, triple = places
    root = path.parent.parent
    vendors = [
        folder / "node_modules" / "@openai" / f"codex-{package}" / "vendor"
        for folder in (root, *root.parents)
    ]
    for vendor in (*vendors, root / "vendor"):
        binary = vendor / triple / "bin" / "codex"
        if os.access(binary, os.X_OK):
            return binary
    return path


def _version(path: Path) -> str:
    """Return the version that stands next to the program, without running it; "" if none does."""
    for name in ("codex-package.json", "package.json"):
        stated = load_json(path.parent.parent / name)
        if isinstance(stated, dict) and "version" in stated:
            return str(stated["version"])
    return ""


def _openai_login(environ: Mapping[str, str], settings: Settings) -> Login:
    for name, kind in {"CODEX_API_KEY": "API key", "CODEX_ACCESS_TOKEN": "access token"}.items():
        if environ.get(name):
            return Login(LoginState.READY, f"{kind} in {name}")
    if (codex_home(environ) / "auth.json").is_file():
        return Login(LoginState.READY, "login kept in auth.json")
    if settings.credentials_store != "file":
        return Login(LoginState.UNKNOWN, "the login, if there is one, is in the system's keyring")
    if environ.get(KEY):
        return Login(
            LoginState.MISSING,
            f"{KEY} is set, but Codex does not send it of itself",
            f"printenv {KEY} | codex login --with-api-key",
        )
    return Login(LoginState.MISSING, "not logged in", "codex login")


# Which bubblewrap Codex's sandbox runs by on Linux: its own, or one that it finds on PATH.
#
# Codex takes the one on PATH where there is one that works, and its own else (0.160.0 to
# 0.169.0). One without `--argv0` (before 0.9.0, as in Debian 12 and Ubuntu 22.04) it can start
# only through a helper below CODEX_HOME; where the sandbox hides that, or Codex makes none, as in
# a temporary folder, every edit fails, and the session ends well and has changed nothing.

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
    """Return which bubblewrap a session's sandbox will use; None on systems without one."""
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
    return which(environ, _NAME) if sys.platform.startswith("linux") else None


def _fit(path: Path) -> bool:
    """Return whether Codex can do with this one; one that cannot be read counts as such."""
    try:
        privileged = path.stat().st_mode & stat.S_ISUID
        return bool(privileged) or _NEEDED in path.read_bytes()
    except OSError:
        return True


DEFECTS = (
    Defect(
        since="",
        until="0.132.0",
        what="`codex exec resume` takes no --output-schema, so an answer that is asked for again "
        "is held to no shape",
        source="openai/codex#23123, read on 2026-11-22",
        command="npm install -g @openai/codex@latest",
    ),
)


PRICES = PriceList(
    "2026-11-22",
    {
        "gpt-5.6-sol": Price(4, 0.4, 5, 20),
        "gpt-5.6-terra": Price(2, 0.2, 2.5, 12),
        "gpt-5.6-luna": Price(0.2, 0.02, 0.25, 1.2),
        "gpt-5.5": Price(5, 0.5, 5, 30),
        "gpt-5.5-pro": Price(30, 3, 30, 180),
        "gpt-5.4": Price(2.5, 0.25, 2.5, 15),
        "gpt-5.4-mini": Price(0.75, 0.075, 0.75, 4.5),
        "gpt-5.4-nano": Price(0.2, 0.02, 0.2, 1.25),
        "gpt-5.3-codex": Price(1.75, 0.175, 1.75, 14),
        "gpt-5.2": Price(1.75, 0.175, 1.75, 14),
        "gpt-5.2-codex": Price(1.75, 0.175, 1.75, 14),
        "gpt-5.1": Price(1.25, 0.125, 1.25, 10),
        "gpt-5.1-codex": Price(1.25, 0.125, 1.25, 10),
        "gpt-5.1-codex-max": Price(1.25, 0.125, 1.25, 10),
        "gpt-5.1-codex-mini": Price(0.25, 0.025, 0.25, 2),
        "gpt-5": Price(1.25, 0.125, 1.25, 10),
        "gpt-5-codex": Price(1.25, 0.125, 1.25, 10),
        "gpt-5-mini": Price(0.25, 0.025, 0.25, 2),
        "gpt-5-nano": Price(0.05, 0.005, 0.05, 0.4),
        "gpt-4.1": Price(2, 0.5, 2, 8),
    },
)
