"""A briefing with the files in it that its lines `@path` name."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from abreast.process.folders import inside, read_start

MOST = 200_000  # characters of all files together
_IMPORT = re.compile(r"^@(?P<path>[^\s@]+)\s*$", re.MULTILINE)
_DEPTH = 5  # imports within imports, as Claude Code and Gemini CLI follow them


@dataclass
class Briefing:
    """The text of one briefing file. `pieces` are those of each file in it, the file's own last.

    `whole` tells whether nothing was left out for its size.
    """

    text: str = ""
    pieces: list[str] = field(default_factory=list)
    whole: bool = True


def read_with_imports(root: Path, file: Path) -> Briefing:
    """Return a briefing, each line `@path` replaced by that file when it lies in `root`.

    Each file is taken once, where it is named first: a line that names it again stays as it is, as
    does one that leads out of `root` or nowhere. Five imports deep, and `MOST` characters at most.
    """
    reading = _Reading(root)
    text = reading.expand(file, _DEPTH)
    return Briefing(text or "", reading.pieces, reading.whole)


class _Reading:
    def __init__(self, root: Path) -> None:
        self._root, self._left = root, MOST
        self._taken: set[Path] = set()
        self.pieces: list[str] = []
        self.whole = True

    def expand(self, path: Path, depth: int) -> str | None:
        real = inside(self._root, path)
        if real is None or real in self._taken:
            return None
        text = read_start(self._root, real, self._left + 1)
        if text is None:
            return None
        self._taken.add(real)
        if len(text) > self._left:
            self.whole, text = False, text[: self._left]
        self._left -= len(text)
        if depth:
            text = _IMPORT.sub(lambda line: self._imported(path, line, depth), text)
        self.pieces.append(text.strip())
        return text

    def _imported(self, path: Path, line: re.Match[str], depth: int) -> str:
        # Nothing is read, and no path looked up, once there is no room for it.
        found = self.expand(path.parent / line["path"], depth - 1) if self._left else None
        return found or line[0]
