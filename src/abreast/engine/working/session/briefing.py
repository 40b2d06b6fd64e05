"""One briefing for every agent: whichever briefing files the repository has, read the same way.

Each CLI reads a file of its own, and has rules of its own for the others' files. So that every
session of a run is told the same, abreast reads them all from the root of the worktree and hands
the text to each CLI itself.
"""

from pathlib import Path

from abreast.agents import AGENTS
from abreast.agents.imports import MOST, read_with_imports

_CUT = "\n\n[cut here: too long]"


def read_briefing(worktree: Path) -> str:
    """Return the project's standing instructions, or "" when it has none.

    Files with the same text count once; a line `@path` is replaced by that file when it lies in
    the worktree.
    """
    texts: dict[str, str] = {}
    for name in sorted({reads.name for a in AGENTS.values() if (reads := a.briefing)}):
        found = read_with_imports(worktree, worktree / name)
        text = found.text.strip() + ("" if found.whole else _CUT)
        if text and not any(text in other for other in texts.values()):
            texts = {n: t for n, t in texts.items() if t not in text}
            texts[name] = text
    parts = [f"# Project instructions ({name})\n\n{text}" for name, text in texts.items()]
    whole = "\n\n".join(parts)
    return whole if len(whole) <= MOST + len(_CUT) else whole[:MOST] + _CUT
