"""A repository's first-parent history, as what its changes did to which lines of which files."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from abreast.errors import GitError
from abreast.git.replay_place import Place
from abreast.model.history import LARGE, Change, ChangedFile, ChangeKind, Hunk
from abreast.model.text import whole_characters

_PART = 500  # commits a call: what git prints of them is held in memory
_DIFF = ("--diff-merges=first-parent", "--no-renames", "--no-ext-diff", "--no-textconv")
_NO_FILE = "160000"  # the mode of a submodule, whose commit is in another repository
_FORMAT = "--format=%x01%H%x00%P%x00%at%x00%an%x00%s"
_RAW = re.compile(r"\n?:(\d+) (\d+) ([0-9a-f]+) ([0-9a-f]+) ([ADMT])")
_PATCH = re.compile(
    r"^(?:\x01(?P<id>[0-9a-f]+)$|diff --git (?P<names>.*)$"
    r"|@@ -(?P<start>\d+)(?:,(?P<removed>\d+))? \+\d+(?:,(?P<added>\d+))? @@ ?(?P<inside>.*)$)",
    re.MULTILINE,
)
_INSIDE = 80  # characters of what a hunk is inside


@dataclass(frozen=True, slots=True)
class HistoryStep:
    """One commit of the first-parent history, and its tree."""

    id: str
    tree: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Changes, oldest first; of those in `unread` an object is missing, and lines are not known."""

    changes: tuple[Change, ...]
    unread: frozenset[str]


def list_steps(place: Place, base: str, count: int) -> list[HistoryStep]:
    """Return the `count` newest commits of the first-parent history of `base`, newest first.

    A shallow clone's history ends where it is cut off.
    """
    shape = ("--first-parent", f"--max-count={count}", "--format=%H %T")
    lines = place.read("log", *shape, base, "--").splitlines()
    return [HistoryStep(*line.split(" ")) for line in lines]


def read_names(place: Place, ids: Sequence[str]) -> Iterator[Change]:
    """Yield what these commits are called and which paths they touched, without lines or sizes."""
    for part in _parts(ids):
        yield from (change for change, _ in _read_raw(place, part, set()))


def read_changes(place: Place, ids: Sequence[str]) -> Listing:
    """Return what these commits did, with the size of each file and the lines that they touched.

    Lines are read of changes of up to `LARGE` files.
    """
    changes: list[Change] = []
    unread: set[str] = set()
    for part in _parts(ids):
        listed = _read_raw(place, part, unread)
        sizes = _sizes(place, {blob for _, blobs in listed for pair in blobs for blob in pair})
        whole = []
        for change, blobs in listed:
            if any(blob and blob not in sizes for pair in blobs for blob in pair):
                unread.add(change.id)
            elif change.id not in unread and len(change.files) <= LARGE:
                whole.append(change.id)
        hunks = _read_hunks(place, whole)
        for change, blobs in listed:
            files = (
                replace(
                    file,
                    size=sizes.get(new, 0),
                    hunks=() if file.was else tuple(hunks.get((change.id, file.path), ())),
                )
                for file, (_, new) in zip(change.files, blobs, strict=True)
            )
            changes.append(replace(change, files=tuple(files)))
    return Listing(tuple(changes), frozenset(unread))


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + _PART] for at in range(0, len(ids), _PART))


def _log(place: Place, ids: Sequence[str], *options: str) -> str:
    if not ids:  # git would take HEAD
        return ""
    found = place.read("log", "--no-walk=unsorted", "--stdin", *_DIFF, *options, stdin=ids)
    return whole_characters(found)  # a path or an author that is no text could not be kept


_Listed = tuple[Change, list[tuple[str, str]]]


def _read_raw(place: Place, ids: Sequence[str], unread: set[str]) -> list[_Listed]:
    """Return each change with the blobs of its files before and after, "" where there is none.

    One of which a tree is missing has no files, and is added to `unread`: git would read nothing of
    those behind it.
    """
    try:
        return list(_parsed(_log(place, ids, "--raw", "--no-abbrev", "-z", _FORMAT)))
    except GitError:
        bare = _treeless(place, ids) if len(ids) > 1 else set(ids)
    unread |= bare
    found = list(_parsed(_log(place, [one for one in ids if one in bare], "-s", "-z", _FORMAT)))
    left = [one for one in ids if one not in bare]
    middle = len(left) if bare else len(left) // 2
    for half in filter(None, (left[:middle], left[middle:])):
        found += _read_raw(place, half, unread)
    order = {name: at for at, name in enumerate(ids)}
    return sorted(found, key=lambda one: order[one[0].id])


def _treeless(place: Place, ids: Sequence[str]) -> set[str]:
    """Return those of these commits whose tree, or that of whose parent, is not here."""
    asked = [f"{one}{of}" for one in ids for of in ("^{tree}", "^1", "^1^{tree}")]
    lines = place.read("cat-file", "--batch-check", stdin=asked).splitlines()
    there = [not line.endswith(" missing") for line in lines]
    told = zip(ids, there[::3], there[1::3], there[2::3], strict=True)
    return {one for one, tree, parent, under in told if not tree or (parent and not under)}


def _parsed(text: str) -> Iterator[_Listed]:
    fields = iter(text.split("\0"))
    found: tuple[Change, list[ChangedFile], list[tuple[str, str]]] | None = None
    for field in fields:
        if field.startswith("\x01"):
            if found:
                yield replace(found[0], files=_with_moves(found[1], found[2])), found[2]
            parents, time, author, subject = (next(fields) for _ in range(4))
            parent = parents.partition(" ")[0]
            found = (Change(field[1:], parent, int(time or 0), author, subject), [], [])
        elif found and (raw := _RAW.match(field)):
            old_mode, new_mode, old, new, kind = raw.groups()
            found[1].append(ChangedFile(next(fields), ChangeKind(kind)))
            found[2].append((_blob(old_mode, old), _blob(new_mode, new)))
    if found:
        yield replace(found[0], files=_with_moves(found[1], found[2])), found[2]


def _with_moves(
    files: Sequence[ChangedFile], blobs: Sequence[tuple[str, str]]
) -> tuple[ChangedFile, ...]:
    """Say of an added file which deleted one it was, if there is just one of the same content."""
    gone: dict[str, list[str]] = {}
    for file, (old, new) in zip(files, blobs, strict=True):
        if old and not new:
            gone.setdefault(old, []).append(file.path)
    if not gone:
        return tuple(files)
    came = Counter(new for old, new in blobs if new and not old)
    return tuple(
        replace(file, was=gone[new][0])
        if not old and came[new] == len(gone.get(new, ())) == 1
        else file
        for file, (old, new) in zip(files, blobs, strict=True)
    )


def _blob(mode: str, blob: str) -> str:
    return "" if mode == _NO_FILE or not blob.strip("0") else blob


def _sizes(place: Place, blobs: set[str]) -> dict[str, int]:
    wanted = sorted(blobs - {""})
    if not wanted:
        return {}
    shape = "--batch-check=%(objectname) %(objectsize)"
    pairs = (line.split(" ") for line in place.read("cat-file", shape, stdin=wanted).splitlines())
    return {blob: int(size) for blob, size in pairs if size != "missing"}


def _read_hunks(place: Place, ids: Sequence[str]) -> dict[tuple[str, str], list[Hunk]]:
    """Return the hunks of each commit and path."""
    found: dict[tuple[str, str], list[Hunk]] = {}
    commit, hunks = "", list[Hunk]()
    for match in _PATCH.finditer(_log(place, ids, "-p", "-U0", "--format=%x01%H")):
        start, removed, added, inside = match.group("start", "removed", "added", "inside")
        if match["id"]:
            commit = match["id"]
        elif (names := match["names"]) is not None:
            # `a/PATH b/PATH`: both are the same without renames, so the length tells where.
            hunks = found.setdefault((commit, names[2 : len(names) // 2]), [])
        else:
            hunks.append(
                Hunk(int(start), int(removed or 1), int(added or 1), inside[:_INSIDE].strip())
            )
    return found
