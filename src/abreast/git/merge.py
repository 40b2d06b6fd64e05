"""Merges without a checkout: a single one, or many predictions that leave no object behind.

Whether work has landed in a branch is judged by git's own merge alone. Neither patch ids nor the
repository's merge drivers are asked: `git cherry` ignores white space and counts a commit that was
picked and then reverted; a driver may keep one side whatever the other holds. Both would say that
work has landed which is nowhere else.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path

from abreast.git.call import call, require_git, split
from abreast.git.changes import changed_files, quarantine
from abreast.git.commit import commit_tree, tree_of
from abreast.git.footprint import footprints
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository, is_ancestor

# A conflict without a path of its own must not pass for a clean merge.
_NO_PATH = ("(the tree as a whole)",)


@dataclass(frozen=True)
class Merged:
    """A merge's tree, and the paths in conflict; with conflicts, the tree holds the markers."""

    tree: str
    conflicts: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not self.conflicts


def merge_trees(
    repo: Repository,
    ours: str,
    theirs: str,
    *,
    env: Mapping[str, str] | None = None,
    git_dir: Path | None = None,
) -> Merged:
    """Merge two commits and return the tree; no ref, index or file changes.

    Merge drivers of the repository's configuration apply, recorded resolutions (rerere) do not.
    With `git_dir`, that git directory's configuration counts instead (see `abreast.git.merge`).
    Raises `GitError` when the two have no common ancestor.
    """
    words = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    if git_dir:
        done = call(git_dir, *words, git_dir=git_dir, codes=(0, 1), env=env)
    else:
        done = repo.call_inside(*words, codes=(0, 1), env=env)
    tree, *paths = split(done.stdout)
    return Merged(tree, (tuple(dict.fromkeys(paths)) or _NO_PATH) if done.code else ())


def brings(repo: Repository, commit: str, *known: str) -> bool:
    """Return whether `commit` contains a change that none of the commits `known` does.

    Merges count by what they have joined.
    """
    wanted = (commit, *(f"^{one}" for one in known))
    return bool(repo.call("rev-list", "--no-merges", "--max-count=1", *wanted).stdout)


def merge_since(
    repo: Repository,
    start: str,
    ours: str,
    theirs: str,
    *,
    whole: bool = False,
    env: Mapping[str, str] | None = None,
    git_dir: Path | None = None,
) -> Merged:
    """Merge into `ours` what `theirs` changes since `start`, and no more; else as `merge_trees`.

    That is `git merge-tree --merge-base`, which git has from 2.40 on. `whole`: `ours` has had all
    that `start` holds. Without that, a file that `ours` lacks is a conflict where `theirs` changes
    it: git would take any new file like it for its new name.
    """
    if not whole and (lacking := _lacking(repo, start, ours, theirs, env)):
        return Merged(tree_of(repo, ours), lacking)
    known = {**(env or {}), **_NOBODY}
    grown = commit_tree(repo, tree_of(repo, ours), [start], f"{ours} on {start}", env=known)
    return merge_trees(repo, grown, theirs, env=env, git_dir=git_dir)


def _lacking(
    repo: Repository, start: str, ours: str, theirs: str, env: Mapping[str, str] | None
) -> tuple[str, ...]:
    """Return the files of `start` that `theirs` changes and `ours` does not have."""
    gone = {one.path for one in changed_files(repo, start, ours, env=env) if one.status == "D"}
    changed = (one for one in changed_files(repo, start, theirs, env=env) if one.status != "D")
    return tuple(one.path for one in changed if one.path in gone)


# Who makes a commit that nothing will refer to, always the same.
_NOBODY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "abreast"), ("EMAIL", "abreast@localhost"), ("DATE", "@0 +0000"))
}


def holds(repo: Repository, target: str, commit: str) -> bool:
    """Return whether `target` (a commit or full ref) contains `commit`, which may be long gone."""
    query = ("merge-base", "--is-ancestor", "--end-of-options", commit, target)
    return bool(commit) and repo.call(*query, codes=(0, 1, 128)).code == 0


def fast_forwardable(repo: Repository, old: str, new: str) -> bool:
    """Return whether moving a branch from `old` to `new` drops nothing."""
    return is_ancestor(repo, old, new)


@dataclass(frozen=True)
class Clash:
    """Two names whose commits do not merge, and the paths that stand in the way."""

    one: str
    other: str
    paths: tuple[str, ...]


def predict_conflicts(repo: Repository, base: str, commits: Mapping[str, str]) -> list[Clash]:
    """Return every pair of `commits` (name → id) that would conflict if both were merged.

    `base` must be an ancestor of all. Only pairs whose changes meet are tried. Nothing is written.
    """
    prints = footprints(repo, dict.fromkeys(commits.values(), base))
    seen = {name: prints[commit] for name, commit in commits.items()}
    pairs = [(one, other) for one, other in combinations(seen, 2) if seen[one].meets(seen[other])]
    with quarantine(repo) as env:
        merged = merge_pairs(repo, [(commits[one], commits[other]) for one, other in pairs], env)
    outcomes = zip(pairs, merged, strict=True)
    return [Clash(*pair, result.conflicts) for pair, result in outcomes if not result.clean]


def merge_pairs(
    repo: Repository, pairs: Sequence[tuple[str, str]], env: Mapping[str, str]
) -> list[Merged]:
    """Merge each pair of commits (ids), as `merge_trees`, in one call of git.

    `env` names the object folder that the trees are written to (`abreast.git.changes.quarantine`).
    Raises `GitError` when the two of a pair have no common ancestor.
    """
    if not pairs:
        return []
    if require_git() < _MANY:
        return [merge_trees(repo, ours, theirs, env=env) for ours, theirs in pairs]
    lines = "".join(f"{ours} {theirs}\n" for ours, theirs in pairs)
    options = ("--write-tree", "--stdin", "-z", "--name-only", "--no-messages")
    words = ("merge-tree", *options)
    done = repo.call_inside(*words, config=_FLEETING, stdin=lines, env=env)
    fields = iter(split(done.stdout))
    return [_read_merge(fields) for _ in pairs]


# Of objects that are deleted at once: neither packed small nor brought to the disk.
_FLEETING = ("core.looseCompression=0", "core.fsync=none")


_MANY = (2, 39)  # `merge-tree --stdin`; an older git is started once for each merge


def _read_merge(fields: Iterator[str]) -> Merged:
    # `<1|0> NUL <tree> NUL (<path> NUL)* NUL`, where 1 is clean: the reverse of the exit code.
    clean, tree = next(fields) == "1", next(fields)
    paths = tuple(dict.fromkeys(iter(fields.__next__, "")))
    return Merged(tree, () if clean else paths or _NO_PATH)


_CHECK = r"^{}:\d+: leftover conflict marker\.?$"
# The other checks of white space are off: only markers are asked for.
_ONLY_MARKERS = "core.whitespace=" + ",".join(
    f"-{name}"
    for name in (
        "blank-at-eol",
        "blank-at-eof",
        "space-before-tab",
        "indent-with-non-tab",
        "tab-in-indent",
        "cr-at-eol",
    )
)


def markers_in(repo: Repository, tree: Guarded, base: str, tip: str) -> tuple[str, ...]:
    """Return the files in which `tip` has conflict markers that `base` did not have.

    Both are commits or trees; those made in the worktree `tree` are found.

    A file counts with the lines that begin and end a conflict, both new; a line of `=` alone may be
    a heading. Git's attribute `conflict-marker-size`, as the worktree's files set it, says where
    such lines are meant.
    """
    check = ("diff-tree", "-r", "--check", "--no-renames", "--no-ext-diff", base, tip)
    env = tree.objects
    # 2: something was found.
    found = call(tree, *check, config=(_ONLY_MARKERS,), env=env, codes=(0, 2)).stdout
    if not found:
        return ()
    # Git prints names as they are, with line breaks in them.
    listed = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", base, tip)
    changed = split(repo.call(*listed, env=env).stdout)
    paths = [
        path for path in changed if re.search(_CHECK.format(re.escape(path)), found, re.MULTILINE)
    ]
    return tuple(path for path in sorted(paths) if _has_both(repo, path, base, tip, env=env))


def _has_both(
    repo: Repository, path: str, base: str, tip: str, *, env: Mapping[str, str] | None
) -> bool:
    shown = ("diff-tree", "-p", "-U0", "--text", "--no-ext-diff", "--no-textconv", base, tip)
    lines = repo.call("--literal-pathspecs", *shown, "--", path, env=env).stdout.split("\n")
    return all(any(line.startswith(f"+{sign * 7}") for line in lines) for sign in "<>")


class Landed(StrEnum):
    """Why a commit counts as landed in a target."""

    CONTAINED = "contained"  # the target's history contains it
    NOTHING_TO_ADD = "nothing to add"  # merging it changes nothing, as after a squash or a rebase


def is_landed(repo: Repository, commit: str, target: str, start: str = "") -> Landed | None:
    """Return how `commit` got into `target` (a commit or full ref); None: it is not in it.

    Its work is what it changes since the commit `start`; without one, all that it contains.
    """
    tip = repo.call("rev-parse", "--verify", "--end-of-options", f"{target}^{{commit}}").stdout
    target = tip.strip()
    if is_ancestor(repo, commit, target):
        return Landed.CONTAINED
    if not repo.call("merge-base", commit, target, codes=(0, 1)).stdout:
        return None
    starts = [""] if not start or is_ancestor(repo, start, target) else ["", start]
    nothing = any(adds_nothing(repo, commit, target, one) for one in starts)
    return Landed.NOTHING_TO_ADD if nothing else None


def adds_nothing(repo: Repository, commit: str, target: str, start: str = "") -> bool:
    """Return whether merging two commits (ids) without drivers gives exactly the target's tree.

    With `start`, only what `commit` changes since that is merged.
    """
    merged = merge_plainly(repo, target, commit, start)
    return merged.clean and merged.tree == tree_of(repo, target)


def is_taken_back(repo: Repository, before: str, after: str, target: str) -> bool:
    """Return whether `target` has nothing more of what changed from `before` to `after` (commits).

    So it is when to revert that there changes nothing. Nothing is written.
    """
    with quarantine(repo) as env:
        known = {**env, **_NOBODY}
        back = commit_tree(repo, tree_of(repo, before), [after], f"without {after}", env=known)
        merged = merge_since(repo, after, target, back, whole=True, env=env)
        return merged.clean and merged.tree == tree_of(repo, target)


def merge_plainly(repo: Repository, ours: str, theirs: str, start: str = "") -> Merged:
    """Merge two commits (ids) as git does without any configuration or attributes; no object stays.

    With `start`, only what `theirs` changes since that is merged.

    A custom driver can be named by `.gitattributes`, `info/attributes`, `core.attributesFile` or
    `merge.default`, so the merge runs in an empty git directory that borrows the objects.
    Raises `GitError` when the two have no common ancestor.
    """
    with tempfile.TemporaryDirectory(prefix="abreast-merge.") as name, quarantine(repo) as objects:
        folder = Path(name)
        for part in ("refs", "objects"):
            (folder / part).mkdir()
        (folder / "HEAD").write_text("ref: refs/heads/none\n")
        (folder / "config").write_text(_CONFIG + _LONG_IDS * (len(ours) > _SHA1))
        if (shallow := repo.common_dir / "shallow").exists():
            shutil.copyfile(shallow, folder / "shallow")
        env = objects | _NO_SETTINGS
        if start:
            return merge_since(repo, start, ours, theirs, env=env, git_dir=folder)
        return merge_trees(repo, ours, theirs, env=env, git_dir=folder)


_SHA1 = 40  # hexadecimal digits
_LONG_IDS = "[extensions]\n\tobjectFormat = sha256\n"
_CONFIG = f"""\
[core]
\trepositoryFormatVersion = 1
\tbare = true
\tattributesFile = {os.devnull}
"""
_NO_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}
