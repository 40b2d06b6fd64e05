"""Snapshots: what a worktree holds right now, kept under a ref without touching its index.

The tree is built in a copy of the index from before the agent began (`Guarded.start`), so that no
mark that an agent sets there (assume-unchanged, skip-worktree) hides a file. Which files are
tracked, though, is the agent's to say: what it added by force, or took out, counts.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import GitError
from abreast.git.aside import through_link
from abreast.git.call import call, failure, git, split
from abreast.git.commit import anchor, commit_tree, tree_of
from abreast.git.differing import differing
from abreast.git.guarded import Guarded
from abreast.git.publish import pack_made, published
from abreast.git.refs import read_ref, swap_ref
from abreast.git.repository import Repository
from abreast.git.status import find_commit
from abreast.process.command import Completed

MAX_UNTRACKED = 50_000_000  # bytes; larger untracked files are build output or dumps, not work
_LINK = "160000"  # the mode of a submodule's entry


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
        if last and last_tree == built.tree and _reaches(repo, last, head):
            return Snapshot(last, built.tree, built.skipped)
        if head and tree_of(repo, head) == built.tree:
            return Snapshot(anchor(repo, ref, head, reason=message), built.tree, built.skipped)
        parents = [commit for commit in (head, last) if commit]

        made = _made(repo, tree, built.tree, parents, message)
        with published(repo, tree, made, known=parents) as commit:
            moved = swap_ref(repo, ref, commit, old, reason=message)
        if moved:
            return Snapshot(commit, built.tree, built.skipped)


def _made(
    repo: Repository, tree: Guarded, built: str, parents: list[str], message: str
) -> tuple[str, str]:
    def make(again: bool) -> str:
        found = build_tree(tree).tree if again else built
        return commit_tree(repo, found, parents, message, env=tree.objects)

    return pack_made(tree, make, parents)


def _tree_or_none(repo: Repository, commit: str | None) -> str | None:
    """Return a commit's tree; None where a ref of ours was made to name something else."""
    try:
        return tree_of(repo, commit) if commit else None
    except GitError:
        return None


def _reaches(repo: Repository, commit: str, head: str | None) -> bool:
    query = ("merge-base", "--is-ancestor", head or commit, commit)
    return repo.call(*query, codes=(0, 1)).code == 0


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
        tracked, skipped = _replaced(tree, found.tracked, theirs.sparse, variables)
        wanted, refused = _sorted_out(tree.path, tracked, others, max_untracked)
        skipped += [*refused, *_stage(tree, wanted, variables)]
        written = git(tree, "write-tree", env=variables).strip()
    return Built(written, tuple(skipped), theirs.unmerged)


@contextmanager
def _index(tree: Guarded, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield variables under which git works in a copy of the index from before the agent began."""
    with tempfile.TemporaryDirectory(prefix="index.", dir=tree.git_dir) as scratch:
        index = Path(scratch, "index")
        variables = {**env, "GIT_INDEX_FILE": str(index)}
        if tree.start.exists():
            shutil.copy2(tree.start, index)
        else:  # made by an older abreast: no index of that time can be believed
            git(tree, "read-tree", "HEAD", env=variables)
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
    removed = sorted(ours - names)
    if removed:
        remove = ("update-index", "--force-remove", "-z", "--stdin")
        git(tree, *remove, env=env, stdin="".join(f"{path}\0" for path in removed))
    added = [path for mode, path in theirs if path not in ours and not mode.startswith(_LINK)]
    links = [path for mode, path in theirs if path not in ours and mode.startswith(_LINK)]
    present = [path for path in added if os.path.lexists(tree.path / path)]
    unmerged = dict.fromkeys(path for mode, path in theirs if not mode.endswith(" 0"))
    return _Theirs((*present, *(f"{path}/" for path in links)), tuple(unmerged), sparse)


def _replaced(
    tree: Guarded, tracked: Sequence[str], sparse: Collection[str], env: Mapping[str, str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the tracked paths that differ and can be staged, and others with the reason.

    What lies behind a link is not in the worktree: it is taken from our index, like all that is
    gone.
    """
    behind = [path for path in tracked if through_link(tree.path, Path(path))]
    if behind:
        remove = ("update-index", "--force-remove", "-z", "--stdin")
        git(tree, *remove, env=env, stdin="".join(f"{path}\0" for path in behind))
    skipped = dict[str, str]()
    for path in tracked:
        if path in sparse and not os.path.lexists(tree.path / path):
            skipped[path] = "a sparse checkout leaves it out"
        elif os.path.lexists(tree.path / path / ".git"):
            skipped[path] = "a repository of its own"
    inner = [path for path, reason in skipped.items() if reason.startswith("a repo")]
    if inner:  # a submodule is meant to be one
        listed = git(
            tree, "--literal-pathspecs", "ls-files", "-z", "--stage", "--", *inner, env=env
        )
        for row in split(listed):
            if row.startswith(_LINK):
                skipped.pop(row.split("\t", 1)[1], None)
    left_out = {*behind, *skipped}
    return [path for path in tracked if path not in left_out], list(skipped.items())


def _sorted_out(
    top: Path, tracked: Collection[str], others: Collection[str], max_bytes: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the paths to stage, and those to leave out with the reason."""
    wanted, skipped = list[str](), list[tuple[str, str]]()
    for path in (*tracked, *(path for path in others if path not in tracked)):
        reason = _unwanted(top / path, max_bytes if path in others else None)
        if reason:
            skipped.append((path, reason))
        else:
            wanted.append(path)
    return wanted, skipped


def _unwanted(file: Path, max_bytes: int | None) -> str:
    """Return why a file cannot be staged, or ""; without `max_bytes` it may have any size."""
    if file.is_symlink() or not file.exists():
        return ""
    if file.is_dir():
        return "" if max_bytes is None else "a repository of its own"
    if not os.access(file, os.R_OK):
        return "unreadable"
    if not file.is_file():
        return "no regular file"
    size = file.stat().st_size
    if max_bytes is None or size <= max_bytes:
        return ""
    return f"larger than {max_bytes / 1e6:g} MB ({size / 1e6:.0f} MB)"


# core.safecrlf=true makes git die of a file with mixed line ends.
_ANY_LINE_ENDS = ("core.safecrlf=false",)
_MOST_REFUSED = 100  # each costs some calls; where so many fail, it is not the files' fault
_REFUSED = re.compile(r"^fatal: Unable to process path (.*)$", re.MULTILINE | re.DOTALL)


def _stage(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> list[tuple[str, str]]:
    """Stage files as they are; return what git refuses, with its reason."""
    refused, rest = list[tuple[str, str]](), list(paths)
    while rest:
        done = _tried(tree, rest, env)
        if done.code == 0:
            said = done.stderr
            passed_over = (
                [path for path in rest if f"Ignoring path {path}\n" in said] if said else []
            )
            return [*refused, *((path, "a name that git refuses") for path in passed_over)]
        named = _REFUSED.search(done.stderr)
        path = named[1].removesuffix("\n") if named else ""
        if path not in rest:
            few = len(refused) < _MOST_REFUSED
            path = (_refused_one(tree, rest, env) if few else None) or ""
            if path not in rest:
                raise failure(done, tree.path)
        lines = [line for line in done.stderr.split("\n") if not line.startswith("hint: ")]
        said = lines[0].removeprefix("error: ").removeprefix("fatal: ")
        refused.append((path, f"git refuses it: {said}"))
        rest.remove(path)
    return refused


def _refused_one(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> str | None:
    """Return the first of `paths` that git cannot stage and names when it says why, or None.

    A filter of the user's that must not fail, or an encoding that the file does not have.
    """
    while len(paths) > 1:
        half = len(paths) // 2
        paths = paths[:half] if _tried(tree, paths[:half], env).code else paths[half:]
    said = _tried(tree, paths, env)
    return paths[0] if said.code and paths[0] in said.stderr else None


def _tried(tree: Guarded, paths: Sequence[str], env: Mapping[str, str]) -> Completed:
    # `--remove`: a file that has vanished since it was listed is no error.
    add = ("update-index", "--add", "--remove", "--replace", "-z", "--stdin")
    stdin = "".join(f"{path}\0" for path in paths)
    return call(tree, *add, config=_ANY_LINE_ENDS, env=env, stdin=stdin, codes=(0, 128))
