"""Where Codex CLI is, which version it has, and whether it is logged in: without running it."""

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from abreast.agents.base import Installed, Login, LoginState
from abreast.agents.codex.config import Settings, codex_home, load_settings
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
    found = shutil.which("codex", path=environ.get("PATH", ""))
    if found is None:
        return None
    path = _native(Path(found).resolve())
    return Installed(path, _version(path))


def login_of(environ: Mapping[str, str]) -> Login:
    """Tell the login state; what auth.json holds is not looked at."""
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
