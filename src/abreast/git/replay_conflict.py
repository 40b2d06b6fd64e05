"""Whether a conflict would have been resolved without thinking: by a union, or by a regeneration.

The text is what a merge has left, with the common base between the marks (`diff3`). The base has
what the earlier change did, the first side lacks it, and the second has the later change on top.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_GENERATED = re.compile(
    r"@generated|\b(?:auto(?:matically)?[- ]?generated|generated (?:by|from)\b|do not edit)",
    re.IGNORECASE,
)
_HEAD = 1000  # characters at the beginning of a file where a generator says that it was there
_DIGEST = re.compile(r"[0-9a-f]{32,}|sha(?:256|384|512)-[0-9A-Za-z+/=]{40,}")
_DIGESTS = 0.2  # share of a region's lines that hold a digest: what a person writes has none


@dataclass(slots=True)
class _Region:
    """One conflict: the lines of the first side, of the base, and of the second side."""

    parts: tuple[list[str], list[str], list[str]] = field(default_factory=lambda: ([], [], []))


def resolves_by_itself(text: str) -> bool:
    """Return whether a union of both sides, or making the file anew, would have resolved it all.

    A union does where both changes have only inserted lines. A file is made anew when it says at
    its beginning that it is generated, or when the lines in conflict hold digests.
    """
    regions = list(_regions(text.splitlines()))
    if not regions:
        return False
    generated = _GENERATED.search(text[:_HEAD]) is not None
    return generated or all(_is_union(one) or _has_digests(one) for one in regions)


def _regions(lines: Sequence[str]) -> Iterator[_Region]:
    region, part = _Region(), -1
    for line in lines:
        mark = line[:8]
        if mark == "<<<<<<< ":
            region, part = _Region(), 0
        elif part == 0 and mark == "||||||| ":
            part = 1
        elif part == 1 and line == "=======":
            part = 2
        elif part == 2 and mark == ">>>>>>> ":
            yield region
            part = -1
        elif part >= 0:
            region.parts[part].append(line)


def _is_union(region: _Region) -> bool:
    without, base, later = region.parts
    return _within(without, base) and _within(base, later)


def _within(some: Sequence[str], lines: Sequence[str]) -> bool:
    """Return whether `lines` are `some` with further lines inserted."""
    left = iter(lines)
    return all(line in left for line in some)


def _has_digests(region: _Region) -> bool:
    lines = [line for part in region.parts for line in part]
    return sum(_DIGEST.search(line) is not None for line in lines) >= _DIGESTS * len(lines) > 0
