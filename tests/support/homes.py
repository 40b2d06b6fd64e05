"""HOMEs that belong to tests."""

import os
from pathlib import Path

import pytest

_PRIVATE = (
    "GIT_",
    "XDG_",
    "ABREAST_",
    "ANTHROPIC_",
    "CLAUDE",
    "CODEX",
    "OPENAI_",
    "GEMINI_",
    "GOOGLE_",
)


def move_to(home: Path, patch: pytest.MonkeyPatch) -> Path:
    """Make `home`, and our environment that of somebody who lives there and has nothing yet."""
    home.mkdir()
    for name in list(os.environ):
        if name.startswith(_PRIVATE):
            patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_STATE_HOME", str(home / "state"))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
    return home
