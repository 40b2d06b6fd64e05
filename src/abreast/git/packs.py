"""The small packs that sessions bring, joined: git looks into each pack for each object it wants.

With 300 of them, every git call in the repository takes 6 ms longer.
"""

import contextlib
import struct
import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from abreast.errors import GitError
from abreast.git.repository import Repository

MANY = 32
"""Packs that are left side by side; git's own limit is 50 (`gc.autoPackLimit`)."""
_LARGE = 1_000_000  # bytes; to copy a larger one takes longer than looking into it
_MAGIC = b"\xfftOc\0\0\0\x02"  # an index of version 2, the only one that git has written since 2008
_FANOUT = 8 + 4 * 256  # bytes before the ids
_PARTS = (".idx", ".pack", ".rev")  # the index first: without it git does not see the others

_lock = threading.Lock()
_brought: defaultdict[Path, list[str]] = defaultdict(list)


def add_pack(repo: Repository, name: str) -> None:
    """Note a pack that this process has brought into the store of `repo`; join what are many.

    Refs reach what is in it. Raises nothing: a pack that cannot be joined stays as it is.
    """
    store = repo.common_dir / "objects/pack"
    with _lock:
        names = _brought[store]
        names.append(name)
        if len(names) < MANY:
            return
        del _brought[store]  # they are ours to join, not those of another thread
    with contextlib.suppress(GitError, OSError):
        if joined := _join(repo, store, dict.fromkeys(names)):
            with _lock:
                _brought[store].append(joined)


def _join(repo: Repository, store: Path, names: Iterable[str]) -> str:
    """Put the small ones of these packs into one, remove them, and return its name; "": no need."""
    if (store / "multi-pack-index").exists():
        return ""  # it names packs, so they are for `git maintenance` to join
    found = {name: ids for name in names if (ids := _ids(store, name))}
    if len(found) <= 1:
        return ""
    wanted = {one for ids in found.values() for one in ids}
    make = ("pack-objects", "-q", "--window=0", "--threads=1", str(store / "pack"))
    joined = repo.call(*make, stdin="".join(f"{one}\n" for one in sorted(wanted))).stdout.strip()
    if not wanted <= set(_listed(store / f"pack-{joined}.idx", joined)):
        return ""
    for name in found:
        if name != joined and not (store / f"pack-{name}.keep").exists():
            for part in _PARTS:
                (store / f"pack-{name}{part}").unlink(missing_ok=True)
    return joined


def _ids(store: Path, name: str) -> list[str]:
    """Return the ids of the objects in a pack; none of one that is gone, kept or large."""
    pack = store / f"pack-{name}"
    try:
        if pack.with_suffix(".keep").exists() or pack.with_suffix(".pack").stat().st_size > _LARGE:
            return []
        return _listed(pack.with_suffix(".idx"), name)
    except FileNotFoundError:
        return []


def _listed(index: Path, name: str) -> list[str]:
    """Return the ids in the index of the pack `name`; none where that has another format."""
    content, size = index.read_bytes(), len(name) // 2
    if not content.startswith(_MAGIC):
        return []
    (count,) = struct.unpack_from(">I", content, _FANOUT - 4)
    return [content[at : at + size].hex() for at in range(_FANOUT, _FANOUT + count * size, size)]
