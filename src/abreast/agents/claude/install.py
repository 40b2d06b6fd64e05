"""Where Claude Code is, which version it has, and whether it is logged in: without running it."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from abreast.agents.base import Installed, Login, LoginState
from abreast.agents.claude.transcript import config_folder
from abreast.process.files import load_json

_CLOUDS = {
    "CLAUDE_CODE_USE_BEDROCK": "Amazon Bedrock",
    "CLAUDE_CODE_USE_VERTEX": "Google Vertex AI",
    "CLAUDE_CODE_USE_FOUNDRY": "Microsoft Foundry",
}
_TOKENS = {
    "ANTHROPIC_AUTH_TOKEN": "token",
    "ANTHROPIC_API_KEY": "API key",
    "CLAUDE_CODE_OAUTH_TOKEN": "subscription token",
}
_LOG_IN = "run `claude auth login`, or set ANTHROPIC_API_KEY"


def find_claude(environ: Mapping[str, str]) -> Installed | None:
    """Return the binary that `claude` on PATH stands for; None when there is none."""
    found = shutil.which("claude", path=environ.get("PATH", ""))
    if found is None:
        return None
    path = _native(Path(found).resolve())
    return Installed(path, _version(path))


def login_of(environ: Mapping[str, str]) -> Login:
    """Tell the login by variables and by which files exist; no file is opened."""
    for name, cloud in _CLOUDS.items():
        if environ.get(name, "0").lower() not in {"", "0", "false"}:
            return Login(LoginState.UNKNOWN, f"{cloud}, with its own credentials ({name})")
    for name, kind in _TOKENS.items():
        if environ.get(name):
            return Login(LoginState.READY, f"{kind} in {name}")
    config = config_folder(environ)
    if (config / ".credentials.json").exists():
        return Login(LoginState.READY, f"account in {config / '.credentials.json'}")
    if sys.platform == "darwin":
        return Login(LoginState.UNKNOWN, "macOS keeps the login in its keychain", _LOG_IN)
    if (config / "settings.json").exists():
        return Login(LoginState.UNKNOWN, "no login file; settings.json may name one", _LOG_IN)
    return Login(LoginState.MISSING, "neither a key in the environment nor a login", _LOG_IN)


def _native(path: Path) -> Path:
    """Return the native binary beside npm's launcher script; signals do not pass the script."""
    if path.suffix not in {".cjs", ".js", ".mjs"}:
        return path
    beside = sorted(path.parent.parent.glob("claude-code-*/claude"))
    return next((file for file in beside if os.access(file, os.X_OK)), path)


def _version(path: Path) -> str:
    """Return the version as npm's package file or the native installer's file name states it."""
    if re.fullmatch(r"\d+\.\d+\.\d+\S*", path.name):
        return path.name
    for folder in path.parents[:2]:
        package = load_json(folder / "package.json")
        if isinstance(package, dict) and str(package.get("name")).startswith("@anthropic-ai/"):
            return str(package.get("version", ""))
    return ""
