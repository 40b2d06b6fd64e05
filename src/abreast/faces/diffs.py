"""A diff as values: files, hunks, lines with their numbers, and which words of them changed. Pure.

It is read from what git prints (`abreast.diff`), which is foreign text: whoever shows a part of it
makes that harmless.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from abreast.faces.changed_words import changed_spans

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-3][0-7]{2}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_STATUS = {
    "new file mode ": "added",
    "deleted file mode ": "deleted",
    "rename from ": "renamed",
    "copy from ": "copied",
}


@dataclass(frozen=True)
class DiffLine:
    r"""One line of a hunk. `kind` is `+`, `-`, a blank, or `\` for git's remark on what is above.

    `old` and `new` are its numbers on each side, None where it is not there. `changed` are the
    spans of characters in which it differs from the line that stands against it.
    """

    kind: str
    text: str
    old: int | None
    new: int | None
    changed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class DiffHunk:
    """Lines that lie together; `heading` is what git says of the place, such as a function."""

    heading: str
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True)
class DiffFile:
    """What changes in one file. `status` is added, deleted, renamed, copied or modified.

    `before` is its former path, where it had another. `notes` are what git says beside the hunks:
    modes, and that it is binary.
    """

    path: str
    status: str = "modified"
    before: str = ""
    hunks: tuple[DiffHunk, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        return sum(line.kind == "+" for hunk in self.hunks for line in hunk.lines)

    @property
    def deleted(self) -> int:
        return sum(line.kind == "-" for hunk in self.hunks for line in hunk.lines)


def read_diff(text: str) -> tuple[DiffFile, ...]:
    """Return the files of a diff in git's form; text that is none has no files."""
    # Only "\n" ends a line of git's: a file may have other marks in its lines.
    parts = re.split(r"(?m)^(?=diff --git )", text)
    return tuple(_file(part.removesuffix("\n").split("\n")) for part in parts if _is_file(part))


def _is_file(part: str) -> bool:
    return part.startswith("diff --git ")


def _file(lines: list[str]) -> DiffFile:
    at = next((n for n, line in enumerate(lines) if line.startswith("@@ ")), len(lines))
    head, found = lines[1:at], DiffFile(_path_of(lines[0]))
    notes = []
    for line in head:
        for start, status in _STATUS.items():
            if line.startswith(start):
                found = replace(found, status=status)
        if line.startswith(("rename from ", "copy from ")):
            found = replace(found, before=_unquoted(line.partition(" from ")[2]))
        elif line.startswith(("rename to ", "copy to ")):
            found = replace(found, path=_unquoted(line.partition(" to ")[2]))
        elif line.startswith(("--- ", "+++ ")):
            side = _unquoted(line[4:].removesuffix("\t"))
            if side != "/dev/null":
                found = replace(found, path=side[2:])
        elif line.startswith(("old mode ", "new mode ", "Binary files ", "GIT binary patch")):
            notes.append("binary" if line[0] in "BG" else line)
    hunks = tuple(_hunks(lines[at:]))
    return replace(found, hunks=hunks, notes=tuple(notes))


def _hunks(lines: list[str]) -> Iterator[DiffHunk]:
    heading, old, new, found = "", 0, 0, list[DiffLine]()
    begun = False
    for line in lines:
        if start := _HUNK.match(line):
            if begun:
                yield DiffHunk(heading, tuple(_with_words(found)))
            old, new, heading, found, begun = int(start[1]), int(start[2]), start[3], [], True
            continue
        kind, text = line[:1] or " ", line[1:]
        on_old, on_new = kind in "- ", kind in "+ "
        found.append(DiffLine(kind, text, old if on_old else None, new if on_new else None))
        old, new = old + on_old, new + on_new
    if begun:
        yield DiffHunk(heading, tuple(_with_words(found)))


def _with_words(lines: list[DiffLine]) -> Iterator[DiffLine]:
    """Yield the lines; where as many were added as were deleted before them, with what changed."""
    at = 0
    while at < len(lines):
        gone = _stretch(lines, at, "-")
        came = _stretch(lines, at + gone, "+")
        if not gone or gone != came:
            yield lines[at]
            at += 1
            continue
        before, after = lines[at : at + gone], lines[at + gone : at + gone + came]
        pairs = [changed_spans(a.text, b.text) for a, b in zip(before, after, strict=True)]
        yield from (replace(a, changed=pair[0]) for a, pair in zip(before, pairs, strict=True))
        yield from (replace(b, changed=pair[1]) for b, pair in zip(after, pairs, strict=True))
        at += gone + came


def _stretch(lines: list[DiffLine], at: int, kind: str) -> int:
    end = at
    while end < len(lines) and lines[end].kind == kind:
        end += 1
    return end - at


def _path_of(line: str) -> str:
    """Return the path that a first line names, for a file of which nothing else does."""
    names = line.removeprefix("diff --git ")
    if names.startswith('"'):
        return _unquoted(names[: len(names) // 2])[2:]
    return names[: len(names) // 2].removeprefix("a/")


def _unquoted(name: str) -> str:
    """Return a path as it is; git puts one with odd characters into quotes, as in C."""
    if not (name.startswith('"') and name.endswith('"') and len(name) > 1):
        return name

    found = bytearray()
    at = 1
    for escape in _ESCAPE.finditer(name, 1, len(name) - 1):
        said = escape[1]
        found += name[at : escape.start()].encode("utf-8", "surrogateescape")
        byte = int(said, 8) if len(said) == 3 else ord(_ESCAPES.get(said, said)[:1])
        found += bytes([byte]) if byte < 256 else said.encode("utf-8", "surrogateescape")
        at = escape.end()
    found += name[at:-1].encode("utf-8", "surrogateescape")
    return found.decode("utf-8", "surrogateescape")
