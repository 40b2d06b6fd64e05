"""Conflict markers that a change brings into files, told from lines that only look like one."""

import re
from collections.abc import Mapping

from abreast.git.repository import Repository

_CHECK = re.compile(r"^(.*):(\d+): leftover conflict marker\.?$")
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


def markers_in(
    repo: Repository, base: str, tip: str, *, env: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the files in which `tip` has conflict markers that `base` did not have.

    Both are commits or trees; `env` may name an object folder that has them.

    A file counts with the lines that begin and end a conflict, both new; a line of `=` alone may be
    a heading. Git's attribute `conflict-marker-size` says where such lines are meant.
    """
    check = ("diff-tree", "-r", "--check", "--no-renames", "--no-ext-diff", base, tip)
    # 2: something was found.
    settings = (_ONLY_MARKERS, "core.quotePath=false")
    done = repo.call_inside(*check, config=settings, env=env, codes=(0, 2))
    if not done.stdout:
        return ()
    paths = {match[1] for line in done.stdout.splitlines() if (match := _CHECK.match(line))}
    return tuple(path for path in sorted(paths) if _has_both(repo, path, base, tip, env=env))


def _has_both(
    repo: Repository, path: str, base: str, tip: str, *, env: Mapping[str, str] | None
) -> bool:
    shown = ("diff-tree", "-p", "-U0", "--no-ext-diff", "--no-textconv", base, tip, "--", path)
    lines = repo.call(*shown, env=env).stdout.splitlines()
    return all(any(line.startswith(f"+{sign * 7}") for line in lines) for sign in "<>")
