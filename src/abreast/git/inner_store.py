"""Commits of submodules, kept in the repositories that all worktrees share (`.git/modules`)."""

import os
from collections.abc import Sequence
from pathlib import Path

from abreast.git.call import call
from abreast.git.guarded import Guarded
from abreast.git.publish import move_pack, pack
from abreast.git.repository import Repository
from abreast.process.command import Completed


def keep_in_store(store: Path, inner: Guarded, head: str, recorded: Sequence[str], ref: str) -> str:
    """Bring a submodule's commit into the shared store; return where it is, "" when it cannot.

    `store` may have the commits `recorded`. What `ref` has named before, and `head` does not
    contain, gets a ref of its own: the kind in its name is followed by the commit.
    """
    if not (store / "objects").is_dir():
        return ""
    there = Repository(store, store, None, guard=inner.git_dir)
    objects = {"GIT_OBJECT_DIRECTORY": str(store / "objects")}

    def has(one: str) -> bool:
        asked = ("cat-file", "-e", f"{one}^{{commit}}")
        return there.call(*asked, env=objects, codes=range(256)).code == 0

    known = [one for one in recorded if has(one)]
    with move_pack(pack(inner, [head], known), inner, store):
        before = _in_the_way(store, ref, head)
        moves = [(beside(ref, before), before)] if before else []
        moved = all(_name(store, *move) for move in (*moves, (ref, head)))
        exclude = [f"^{one}" for one in known]
        whole = there.call(
            "rev-list", "--objects", "--quiet", head, *exclude, env=objects, codes=range(256)
        )
    return f"{ref} of {store}" if moved and whole.code == 0 else ""


def _in_the_way(store: Path, ref: str, head: str) -> str:
    """Return the commit that `ref` of a store names, unless `head` contains it; "" otherwise."""
    old = _call_store(store, "rev-parse", "-q", "--verify", f"{ref}^{{commit}}").stdout.strip()
    if not old or _call_store(store, "merge-base", "--is-ancestor", old, head).code == 0:
        return ""
    return old


def beside(ref: str, commit: str) -> str:
    """Return the name of a ref of the same session for another commit."""
    top, abreast, kind, rest = ref.split("/", 3)
    return f"{top}/{abreast}/{kind}-{commit[:12]}/{rest}"


def _name(store: Path, ref: str, commit: str) -> bool:
    return _call_store(store, "update-ref", "--no-deref", ref, commit).code == 0


def _call_store(store: Path, *args: str) -> Completed:
    return call(store, *args, git_dir=store, config=_NOTHING_RUNS, codes=range(256))


_NOTHING_RUNS = (f"core.hooksPath={os.devnull}", "core.fsmonitor=false")
