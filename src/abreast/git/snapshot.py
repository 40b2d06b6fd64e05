"""Snapshots: what a worktree holds right now, kept under a ref without touching its index.

The tree is built in a copy of the index from before the agent began (`Guarded.start`), so that no
mark that an agent sets there (assume-unchanged, skip-worktree) hides a file. Which files are
tracked, though, is the agent's to say: what it added by force, or took out, counts.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import GitError
from abreast.git.call import call, git, split
from abreast.git.commit import anchor, commit_tree, tree_of
from abreast.git.differing import differing, start_index
from abreast.git.guarded import Guarded
from abreast.git.publish import pack_made, published
from abreast.git.refs import read_ref, swap_ref
from abreast.git.repository import Repository, is_ancestor
from abreast.git.staging import LINK, forget, replaced, sorted_out, stage
from abreast.git.status import find_commit

MAX_UNTRACKED = 50_000_000  # bytes; larger untracked files are build output or dumps, not work


@dataclass(frozen=True)
class Built:
    """A tree made from a worktree. `skipped` are (path, reason) of what is not in it.

    `unmerged` are the paths that the agent's index has in conflict.
    """

    tree: str
    skipped: tuple[tuple[str, str], ...] = ()
    unmerged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """A worktree's state, kept: `commit` is where the ref points, `tree` what was there."""

    commit: str
    tree: str
    skipped: tuple[tuple[str, str], ...] = ()


def snapshot(
    repo: Repository,
    tree: Guarded,
    ref: str,
    message: str,
    *,
    max_untracked: int = MAX_UNTRACKED,
) -> Snapshot:
    """Make `ref` reach everything in a worktree: its HEAD, and its tracked and untracked files.

    Earlier snapshots stay reachable. Nothing new is made when nothing has changed, and no commit
    when all is committed. Files git ignores and the inside of submodules are not in it.
    """
    while True:
        built = build_tree(tree, max_untracked=max_untracked)
        head = find_commit(tree, "HEAD")
        old = read_ref(repo, ref)
        last_tree = _tree_or_none(repo, old)
        last = old if last_tree else None
        if last and last_tree == built.tree and is_ancestor(repo, head or last, last):
            return Snapshot(last, built.tree, built.skipped)
        if head and tree_of(repo, head) == built.tree:
            return Snapshot(anchor(repo, ref, head, reason=message), built.tree, built.skipped)
        parents = [commit for commit in (head, last) if commit]

        def make(again: bool, built: str = built.tree, parents: list[str] = parents) -> str:
            found = build_tree(tree, max_untracked=max_untracked).tree if again else built
            return commit_tree(repo, found, parents, message, env=tree.objects)

        made = pack_made(tree, make, parents)
        with published(repo, tree, made, known=parents) as commit:
            moved = swap_ref(repo, ref, commit, old, reason=message)
        if moved:
            return Snapshot(commit, built.tree, built.skipped)


def _tree_or_none(repo: Repository, commit: str | None) -> str | None:
    """Return a commit's tree; None where a ref of ours was made to name something else."""
    try:
        return tree_of(repo, commit) if commit else None
    except GitError:
        return None


def build_tree(
    tree: Guarded,
    *,
    max_untracked: int = MAX_UNTRACKED,
    env: Mapping[str, str] | None = None,
) -> Built:
    """Return a tree of all that `git add -A` would stage in a worktree, its index left alone.

    Left out and told: untracked files larger than `max_untracked` bytes, unreadable ones, names
    that git refuses, and repositories made inside. The tree's objects are in the worktree's own
    object folder (or where `env` says); `published` brings them into the repository's.
    """
    with _index(tree, env or {}) as variables:
        theirs = _follow_agents_index(tree, variables)
        found = differing(tree, Path(variables["GIT_INDEX_FILE"]))
        others = dict.fromkeys([*found.others, *theirs.added])
        tracked, skipped = replaced(tree, found.tracked, theirs.sparse, variables)
        wanted, refused = sorted_out(tree.path, tracked, others, max_untracked)
        skipped += [*refused, *stage(tree, wanted, variables)]
        written = git(tree, "write-tree", env=variables).strip()
    return Built(written, tuple(skipped), theirs.unmerged)


@contextmanager
def _index(tree: Guarded, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield variables under which git works in a copy of the index from before the agent began."""
    with tempfile.TemporaryDirectory(prefix="index.", dir=tree.git_dir) as scratch:
        index = Path(scratch, "index")
        variables = {**env, "GIT_INDEX_FILE": str(index)}
        shutil.copy2(start_index(tree), index)
        yield variables


@dataclass(frozen=True)
class _Theirs:
    """What the agent's index says: paths that it added, that are in conflict, and that a sparse
    checkout leaves out.
    """

    added: tuple[str, ...] = ()
    unmerged: tuple[str, ...] = ()
    sparse: frozenset[str] = frozenset()


def _follow_agents_index(tree: Guarded, env: Mapping[str, str]) -> _Theirs:
    """Take from our index what the agent took out of its own; return what else it says.

    A submodule that it added lies there as a repository of its own.
    """
    if tree.index_untouched() or not (tree.admin / "index").is_file():
        return _Theirs()
    listed = call(tree, "ls-files", "-z", "-t", "--stage", codes=(0, 128))
    if listed.code:
        return _Theirs()  # an index that git cannot read says nothing
    tagged = [row.split("\t", 1) for row in split(listed.stdout)]
    # Who writes an index by hand can name what lies outside.
    theirs = [(head[2:], path) for head, path in tagged if ".." not in Path(path).parts]
    sparse = frozenset(path for head, path in tagged if head[0] == "S")
    ours = set(split(git(tree, "ls-files", "-z", env=env)))
    names = {path for _, path in theirs}
    forget(tree, sorted(ours - names), env)
    added = [path for mode, path in theirs if path not in ours and not mode.startswith(LINK)]
    links = [path for mode, path in theirs if path not in ours and mode.startswith(LINK)]
    present = [path for path in added if os.path.lexists(tree.path / path)]
    unmerged = dict.fromkeys(path for mode, path in theirs if not mode.endswith(" 0"))
    return _Theirs((*present, *(f"{path}/" for path in links)), tuple(unmerged), sparse)
