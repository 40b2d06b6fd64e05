"""Globs in the syntax of `.gitignore`: what they match in a tree, and where two of them can meet.

Matching is the work of `pathspec`. Whether two globs can both match a file that does not exist yet
is a question that no library answers.
"""

import re
import warnings
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_MAGIC = re.compile(r"[*?\[\\]")
_ONE = re.compile(r"\\(?P<escaped>.)|\[(?P<set>[!^]?\]?[^\]]*)\]|(?P<other>.)", re.DOTALL)
_ANYTHING_BELOW = "**"


def is_glob(path: str) -> bool:
    """Return whether a path has characters that stand for others."""
    return _MAGIC.search(path) is not None


def literal_folder(glob: str) -> str:
    """Return the folder that everything a glob matches lies in; "" is the whole tree."""
    parts = glob.split("/")
    if len(parts) == 1:
        return ""
    fixed = []
    for part in parts[:-1]:
        if is_glob(part):
            break
        fixed.append(part)
    return "/".join(fixed)


def below(files: Sequence[str], folder: str) -> Sequence[str]:
    """Return those of the sorted `files` that lie in `folder`; "" is the whole tree."""
    if not folder:
        return files
    # "0" is the character behind "/".
    return files[bisect_left(files, f"{folder}/") : bisect_left(files, f"{folder}0")]


def matching(files: Sequence[str], globs: Sequence[str]) -> frozenset[str]:
    """Return those of the sorted `files` that globs match; of two globs the later one decides.

    A glob that begins with "!" takes files out. One without a slash matches in any folder, and one
    that is none, such as `[z-a]`, matches nothing, as in git.
    """
    from pathspec import GitIgnoreSpec

    folders = {literal_folder(glob) for glob in globs if not glob.startswith("!")}
    spec = GitIgnoreSpec([pattern for glob in globs for pattern in _patterns(glob)])
    return frozenset(
        name for folder in folders for name in below(files, folder) if spec.match_file(name)
    )


@lru_cache(maxsize=4096)
def _patterns(glob: str) -> tuple["GitIgnoreSpecPattern", ...]:
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of `[[`, which a glob may well have
        try:
            return tuple(GitIgnoreSpec.from_lines([_anchored(glob)]).patterns)
        except (ValueError, re.error):
            return ()


def _anchored(glob: str) -> str:
    """Have pathspec read a glob as we do, whatever its first character would mean there."""
    return f"\\{glob}" if glob.startswith("#") else glob


def covers(globs: Sequence[str], path: str) -> bool:
    """Return whether globs match a path, whether it exists or not."""
    return bool(matching([path], globs))


def can_meet(one: str, other: str) -> bool:
    """Return whether there can be a path that both globs match. Neither begins with "!"."""
    return _meet(_segments(one), _segments(other))


@lru_cache(maxsize=4096)
def _segments(glob: str) -> tuple[str, ...]:
    """Return the parts of a glob that matches at any depth, and what lies below a match."""
    body = glob.strip("/")
    anywhere = "/" not in body and not glob.startswith("/") and is_glob(body)
    parts = [*([_ANYTHING_BELOW] if anywhere else []), *body.split("/"), _ANYTHING_BELOW]
    return tuple(
        part for at, part in enumerate(parts) if part != "**" or parts[at - 1 : at] != ["**"]
    )


@lru_cache(maxsize=65536)
def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether two lists of path segments can match the same path; `**` is any number."""
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        at, to = waiting.pop()
        if at == len(one) and to == len(other):
            return True
        for step in _steps(one, other, at, to):
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return False


def _steps(
    one: tuple[str, ...], other: tuple[str, ...], at: int, to: int
) -> Iterator[tuple[int, int]]:
    first = one[at] if at < len(one) else None
    second = other[to] if to < len(other) else None
    if first == _ANYTHING_BELOW:
        yield at + 1, to
        if second is not None:
            yield at, to + 1
    if second == _ANYTHING_BELOW:
        yield at, to + 1
        if first is not None:
            yield at + 1, to
    both = first is not None and second is not None
    if both and _ANYTHING_BELOW not in {first, second} and _segment_meets(first, second):
        yield at + 1, to + 1


@lru_cache(maxsize=65536)
def _segment_meets(one: str | None, other: str | None) -> bool:
    """Return whether there is a name that both of two segments match."""
    first, second = _tokens(one or ""), _tokens(other or "")
    # reached[j]: what is left of `first` and second[j:] can still match the same name.
    reached = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        at, to = waiting.pop()
        if at == len(first) and to == len(second):
            return True
        a = first[at] if at < len(first) else None
        b = second[to] if to < len(second) else None
        steps = []
        if a == "*":
            steps += [(at + 1, to), *([(at, to + 1)] if b is not None else [])]
        if b == "*":
            steps += [(at, to + 1), *([(at + 1, to)] if a is not None else [])]
        if a is not None and b is not None and "*" not in {a, b} and _same(a, b):
            steps.append((at + 1, to + 1))
        for step in steps:
            if step not in reached:
                reached.add(step)
                waiting.append(step)
    return False


def _tokens(segment: str) -> tuple[str, ...]:
    """Return `*`, `?`, a class such as `[a-z]`, or a character behind a backslash, one each."""
    return tuple(
        f"\\{found['escaped'] or found['other']}"
        if found["set"] is None and found["other"] not in {"*", "?"}
        else found[0]
        for found in _ONE.finditer(segment)
    )


def _same(one: str, other: str) -> bool:
    """Return whether two tokens can stand for the same character; of two classes, say yes."""
    if one.startswith("\\") and other.startswith("\\"):
        return one == other
    if one.startswith("\\"):
        one, other = other, one
    if one == "?" or not other.startswith("\\"):
        return True
    inner = one[1:-1]
    negated = inner[:1] in {"!", "^"}
    body = re.sub(r"[\\\[\]^]", r"\\\g<0>", inner[1:] if negated else inner)
    try:
        found = re.fullmatch(f"[{body}]", other[1:]) is not None
    except re.error:  # a range that runs backwards matches nothing anywhere else either
        return True
    return found != negated
