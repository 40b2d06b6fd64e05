"""Which Claude Code is here, without running it: version, login, defects, prices."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from abreast.agents.base import Installed, Login, LoginState, which
from abreast.agents.claude.records_usage import config_folder
from abreast.agents.parts import Retention
from abreast.agents.recorded import at
from abreast.model.economy import Price, PriceList
from abreast.model.finding import Defect
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
    found = which(environ, "claude")
    if found is None:
        return None
    path = _native(found.resolve())
    return Installed(path, _version(path))


def login_of(environ: Mapping[str, str]) -> Login:
    """Return the login, judged by variables and by which files exist; no file is opened."""
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


SETTING = "cleanupPeriodDays"
_DAYS = 30.0


def retention(environ: Mapping[str, str]) -> Retention:
    """Return the days, by the user's settings or else its default, and what to change."""
    file = config_folder(environ) / "settings.json"
    days = at(load_json(file), SETTING)
    if isinstance(days, bool) or not isinstance(days, int | float) or days <= 0:
        days = _DAYS
    return Retention(float(days), f'"{SETTING}": 3650 in {file}')


READS_AGENTS_MD = "2.1.277"
"""The first version that reads AGENTS.md where there is no CLAUDE.md."""


def _briefed(_environ: Mapping[str, str], checkouts: Sequence[Path]) -> bool:
    """Return whether no checkout has a briefing that only later versions read."""
    for top in checkouts:
        own = (top / "CLAUDE.md", top / ".claude" / "CLAUDE.md")
        if (top / "AGENTS.md").is_file() and not any(one.is_file() for one in own):
            return False
    return True


DEFECTS = (
    Defect(
        since="",
        until=READS_AGENTS_MD,
        what="AGENTS.md is not read: a project without CLAUDE.md has no briefing",
        source="tested with 2.1.197 (not read) and 2.1.330 (read) on 2026-11-22",
        command="claude update",
        unless="no AGENTS.md without a CLAUDE.md",
        harmless=_briefed,
    ),
)


def _price(prompt: float, output: float) -> Price:
    """Return the price of a model whose cache gives for a tenth, and takes for five quarters."""
    return Price(prompt, prompt / 10, prompt * 1.25, output)


PRICES = PriceList(
    "2026-11-22",
    {
        "claude-opus-5": _price(5, 25),
        "claude-opus-4-8": _price(5, 25),
        "claude-opus-4-7": _price(5, 25),
        "claude-opus-4-6": _price(5, 25),
        "claude-opus-4-5": _price(5, 25),
        "claude-opus-4-1": _price(15, 75),
        "claude-opus-4": _price(15, 75),
        "claude-sonnet-5": _price(2, 10),
        "claude-sonnet-4-6": _price(3, 15),
        "claude-sonnet-4-5": _price(3, 15),
        "claude-sonnet-4": _price(3, 15),
        "claude-3-7-sonnet": _price(3, 15),
        "claude-3-5-sonnet": _price(3, 15),
        "claude-haiku-4-5": _price(1, 5),
        "claude-3-5-haiku": _price(0.8, 4),
    },
    faster={
        "claude-opus-5": 2,
        "claude-opus-4-8": 2,
        "claude-opus-4-7": 6,
        "claude-opus-4-6": 6,
    },
)
