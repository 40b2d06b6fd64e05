"""One briefing for every agent: whichever briefing files the repository has, read the same way.

Claude Code reads CLAUDE.md, Codex AGENTS.md, Gemini CLI GEMINI.md, and each has rules of its own
for the others' files. So that every session of a run is told the same, abreast reads all three
from the root of the worktree and hands the text to each CLI itself.
"""

import re
from pathlib import Path

NAMES = ("AGENTS.md", "CLAUDE.md", "GEMINI.md")
_IMPORT = re.compile(r"^@(?P<path>[^\s@]+)\s*$", re.MULTILINE)
_DEPTH = 5  # imports within imports, as Claude Code follows them
_MOST = 200_000  # characters; a briefing beyond that is cut, and says so


def read_briefing(worktree: Path) -> str:
    """Return the project's standing instructions, or "" when it has none.

    Files with the same text count once; a line `@path` is replaced by that file when it lies in
    the worktree.
    """
    texts: dict[str, str] = {}
    for name in NAMES:
        text = _read(worktree, worktree / name, _DEPTH).strip()
        if text and not any(text in other for other in texts.values()):
            texts = {n: t for n, t in texts.items() if t not in text}
            texts[name] = text
    parts = [f"# Project instructions ({name})\n\n{text}" for name, text in texts.items()]
    whole = "\n\n".join(parts)
    return whole if len(whole) <= _MOST else whole[:_MOST] + "\n\n[cut here: too long]"


def read_with_imports(root: Path, file: Path) -> str:
    """Return the text of one briefing with the files that its lines `@path` name, within `root`."""
    return _read(root, file, _DEPTH)


def _read(root: Path, path: Path, depth: int) -> str:
    real = path.resolve()
    if not real.is_relative_to(root.resolve()) or not real.is_file():
        return ""
    text = real.read_text(encoding="utf-8", errors="replace")
    if depth == 0:
        return text

    def replace(match: re.Match[str]) -> str:
        return _read(root, path.parent / match["path"], depth - 1) or match[0]

    return _IMPORT.sub(replace, text)
