"""The standing instructions of a Gemini CLI session: the user's and the project's, each once."""

import re
from pathlib import Path

from abreast.agents.base import Launch
from abreast.agents.gemini.trust import unread
from abreast.agents.imports import read_with_imports

GIVEN = "(given as project context in the first message)"

# A region between equal runs of backticks, which the CLI leaves alone, or an `@` that it would
# take for an import and replace by "Import failed".
_CODE_OR_IMPORT = re.compile(r"(`+)[\s\S]*?\1|(?<!\S)@(?=[A-Za-z./])")
_WORD_JOINER = "\u2060"


def briefing_text(launch: Launch, user_folder: Path) -> str:
    """Return what goes into the CLI's global context file; "" when there is nothing to say.

    The CLI reads the worktree's own GEMINI.md too, whatever `context.fileName` says, unless it does
    not trust the folder (0.61.0): so what that file says is left out here. A child that is not
    given the project's instructions is not given the user's either.
    """
    if launch.child is not None and not launch.briefing.strip():
        return ""
    project = launch.briefing.strip() if unread(launch) else _without_native(launch)
    parts = (read_text(user_folder / "GEMINI.md").strip(), project)
    return _CODE_OR_IMPORT.sub(_guard, "\n\n".join(part for part in parts if part))


def _without_native(launch: Launch) -> str:
    briefing = launch.briefing.strip()
    native = read_with_imports(launch.worktree, launch.worktree / "GEMINI.md").pieces
    for text in sorted(native, key=len, reverse=True):
        briefing = briefing.replace(text, GIVEN, 1) if text else briefing
    return briefing


def _guard(found: re.Match[str]) -> str:
    return found[0] if found[1] else f"{_WORD_JOINER}@"


def read_text(path: Path) -> str:
    """Return what the file holds, or "" when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
