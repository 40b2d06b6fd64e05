"""Where Gemini CLI keeps what is the user's own."""

from collections.abc import Mapping
from pathlib import Path


def user_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own `.gemini`."""
    return Path(environ.get("GEMINI_CLI_HOME") or environ.get("HOME") or "/") / ".gemini"
