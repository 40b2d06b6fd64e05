"""Conflict markers that a change brings into files, told from lines that only look like one."""

import re
from collections.abc import Mapping

from abreast.git.call import call, split
from abreast.git.guarded import Guarded
from abreast.git.repository import Repository

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
