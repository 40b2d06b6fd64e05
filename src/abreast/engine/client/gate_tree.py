"""The files of the base commit, and the names in code that they have: looked up once, and kept."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from abreast.errors import GitError, StateError, StoreError
from abreast.gate.planned import BaseTree
from abreast.git.call import split
from abreast.git.repository import Repository
from abreast.model.text import whole_characters
from abreast.places import Places
from abreast.store.gate_cache import GateCache, open_gate_cache

if TYPE_CHECKING:
    from abreast.git.replay_place import Place

T = TypeVar("T")
_ASKED = 200
"""How many names in code are looked up in the tree; a plan of 50 tasks has about so many."""


_IDENTIFIER = re.compile(r"[A-Za-z_]\w{2,}", re.ASCII)
_LAST = re.compile(r"\w+", re.ASCII)
_DEFINES = (
    r"(def|class|fn|func|function|struct|enum|trait|interface|type|const|let|var|"
    r"module|record|protocol|object|macro_rules!)[[:space:]]+(\([^)]*\)[[:space:]]*)?"
)
"""What stands before a name where it is defined; in Go a method's receiver comes between."""


@contextmanager
def gate_cache(repo: Repository, places: Places, *, keep: bool = True) -> Iterator[GateCache]:
    """Yield what the gate has kept of a repository, or a cache in memory where that fails.

    Without `keep` it is in memory anyway. Raises as `open_gate_cache` where it fails later.
    """
    file = places.state / "gate" / f"{repo.lock(Path()).stem}.db" if keep else None
    with ExitStack() as stack:
        try:
            cache = stack.enter_context(open_gate_cache(file))
        except StoreError:
            cache = stack.enter_context(open_gate_cache(None))
        yield cache


def read_tree(repository: Repository, commit: str, cache: GateCache) -> BaseTree:
    """Return the files of a commit, whatever is checked out; an empty tree where there is none."""
    if not commit:
        return BaseTree()
    key = f"files {commit}"
    if kept := cache.digest(key):
        return msgspec.json.decode(kept, type=BaseTree)
    from abreast.git.replay_place import replay_place  # the next check does without

    # With --format, paths would be quoted even behind -z: `"s\\303\\274d.py"`. In the repository
    # itself, a clone without trees would fetch them.
    with replay_place(repository) as place:
        listed = place.call("ls-tree", "-r", "-z", commit, codes=(0, 128))
    if listed.code:
        raise StateError(
            f"the files of {commit[:12]} are not all in this clone",
            hint=f"`git ls-tree -r {commit[:12]}` fetches what is missing",
        )
    rows = [row.partition("\t") for row in split(whole_characters(listed.stdout))]
    submodules = [path for entry, _, path in rows if " commit " in entry]
    tree = BaseTree.of([path for _, _, path in rows], submodules)
    cache.keep_digest(key, msgspec.json.encode(tree))
    return tree


def names_there(
    repository: Repository, commit: str, names: Iterable[str], cache: GateCache
) -> frozenset[str]:
    """Return those of these names in code that the files of a commit have somewhere.

    All of them where git cannot tell: then nothing is made of them.
    """
    asked = sorted(names)[:_ASKED]
    if not asked or not commit:
        return frozenset()
    found = _looked_up(
        repository,
        cache,
        f"names {commit} {_digest(asked)}",
        frozenset[str],
        lambda place: frozenset(_grep(place, commit, asked)),
    )
    return frozenset(asked) if found is None else found


def _looked_up(
    repository: Repository, cache: GateCache, key: str, kind: type[T], look: "Callable[[Place], T]"
) -> T | None:
    """Return what the cache keeps under `key`, else what `look` finds; None: git cannot tell."""
    if kept := cache.digest(key):
        return msgspec.json.decode(kept, type=kind)
    from abreast.git.replay_place import replay_place  # the next check does without

    try:
        with replay_place(repository) as place:
            found = look(place)
    except GitError:
        return None
    cache.keep_digest(key, msgspec.json.encode(found))
    return found


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode(errors="replace")).hexdigest()


def _grep(place: "Place", commit: str, names: Sequence[str]) -> set[str]:
    words = [word for name in names for word in ("-e", name)]
    options = ("-h", "-o", "-w", "-F", "-I", "--no-color", "--threads=2")
    found = place.call("grep", *options, *words, commit, "--", codes=(0, 1))
    return set(whole_characters(found.stdout).splitlines())


def definitions(
    repository: Repository, commit: str, names: Iterable[str], cache: GateCache
) -> dict[str, frozenset[str]]:
    """Return which files of a commit define each of these names in code.

    None where git cannot tell. What defines a name has a keyword such as `def`, `class` or `func`
    before it.
    """
    asked = sorted(name for name in names if _IDENTIFIER.fullmatch(name))[:_ASKED]
    if not asked or not commit:
        return {}
    found = _looked_up(
        repository,
        cache,
        f"definitions {commit} {_digest(asked)}",
        dict[str, frozenset[str]],
        lambda place: _definitions(place, commit, asked),
    )
    return found or {}


def _definitions(place: "Place", commit: str, names: Sequence[str]) -> dict[str, frozenset[str]]:
    words = [word for name in names for word in ("-e", f"{_DEFINES}{name}")]
    options = ("-o", "-w", "-I", "-E", "-z", "--full-name", "--no-color", "--threads=2")
    done = place.call("grep", *options, *words, commit, "--", codes=(0, 1))
    found: dict[str, set[str]] = {}
    for line in whole_characters(done.stdout).splitlines():
        path, _, text = line.removeprefix(f"{commit}:").partition("\0")
        found.setdefault(_LAST.findall(text)[-1], set()).add(path)
    return {name: frozenset(paths) for name, paths in found.items()}


def united_files(
    repository: Repository, commit: str, tree: BaseTree, cache: GateCache
) -> frozenset[str]:
    """Return the files of which git keeps both sides of a merge, by `.gitattributes` of a commit.

    None where git cannot tell.
    """
    if not any(path.rpartition("/")[2] == ".gitattributes" for path in tree.files):
        return frozenset()
    found = _looked_up(
        repository,
        cache,
        f"united {commit}",
        frozenset[str],
        lambda place: frozenset(_united(place, commit, tree)),
    )
    return found or frozenset()


def _united(place: "Place", commit: str, tree: BaseTree) -> Iterator[str]:
    asked = ("-q", "-F", "-e", "merge=union", commit, "--", ":(glob)**/.gitattributes")
    if place.call("grep", *asked, codes=(0, 1)).code:
        return
    place.call("read-tree", commit)  # git reads attributes from an index, older ones only there
    stdin = "".join(f"{path}\0" for path in tree.files)
    done = place.call("check-attr", "--cached", "-z", "--stdin", "merge", stdin=stdin)
    fields = split(done.stdout)
    for path, value in zip(fields[::3], fields[2::3], strict=True):
        if value == "union":
            yield path
