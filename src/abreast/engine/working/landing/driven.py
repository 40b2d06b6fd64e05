"""Merges in which a driver took part: what it has lost or doubled does not land unseen.

A driver is what `.gitattributes` names for a file (`union`, or one of the user's own). It may keep
one side whatever the other holds, or write a line twice, and say that all went well.
"""

from collections.abc import Collection

from abreast.engine.working.session.context import SessionContext
from abreast.git.call import split
from abreast.git.repository import Repository
from abreast.git.vanished import losses
from abreast.model.text import harmless, named, one_line

_PLAIN = frozenset({"unspecified", "set", "unset"})  # git's own merge of lines, or none at all


def lost_by_driver(context: SessionContext, tip: str, tree: str) -> str:
    """Return what a driver has lost or doubled in a merge onto `tip` (a commit), in words; or "".

    `tree` is the merge's. Only files that both sides have changed can have met a driver.
    """
    session, repo = context.session, context.repository
    if session.base_sha == tip:
        return ""  # nothing was merged
    both = _changed(repo, session.base_sha, tip, session.commit)
    if not (driven := _driven(repo, sorted(both))):
        return ""
    found = losses(repo, (session.base_sha, tip, session.commit, tree), driven)
    if not found:
        return ""
    loss = next(iter(found.values()))
    lost, doubled = loss.lost[:1], loss.doubled[:1]
    line = one_line(harmless([*lost, *doubled][0]).strip(), 80)
    what = "is gone" if lost else "is there too often"
    return f"a merge driver does not keep both sides in {named(list(found))}: {line!r} {what}"


def _changed(repo: Repository, base: str, *tips: str) -> Collection[str]:
    """Return the paths that each of two commits has changed since `base`."""
    # To git this is one commit, held against a parent of our choice: a process for both.
    lines = "".join(f"{base} {tip}\n" for tip in tips)
    shape = ("diff-tree", "--stdin", "-r", "-z", "--name-only", "--no-renames")
    sets: list[set[str]] = []
    for word in split(repo.call(*shape, stdin=lines).stdout):
        if word == base:  # each begins with it
            sets.append(set())
        else:
            sets[-1].add(word)
    return sets[0] & sets[1] if len(sets) > 1 else ()


def _driven(repo: Repository, paths: list[str]) -> list[str]:
    """Return those of `paths` that a driver merges."""
    if not paths:
        return []
    known = repo.call("config", "--get", "merge.default", codes=(0, 1)).stdout.strip()
    plain = _PLAIN - {"unspecified"} if known not in {"", "text", "binary"} else _PLAIN
    asked = "".join(f"{path}\0" for path in paths)
    words = split(repo.call_inside("check-attr", "-z", "--stdin", "merge", stdin=asked).stdout)
    return [path for path, value in zip(words[::3], words[2::3], strict=True) if value not in plain]
