"""Estimates before a delegation: the size of its scope, and what such children have cost."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from abreast.agents import agent_named
from abreast.economics.estimate import estimate
from abreast.engine.working.delegation.rounds import contract_of
from abreast.engine.working.session.context import SessionContext
from abreast.errors import ContractError
from abreast.git.call import call, git, split
from abreast.git.guarded import Where, guard_around
from abreast.model.economy import Estimate
from abreast.model.limits import Profile
from abreast.model.task import Contract
from abreast.places import find_places
from abreast.process.folders import inside
from abreast.store.reader import Reader

_GLOB = re.compile(r"[*?\[]")
_PATIENCE = 30.0  # seconds for git to look for what a glob matches


def estimate_of(context: SessionContext) -> Estimate:
    """Return the estimate for a child's session, from the tree as it is now."""
    contract, task = contract_of(context), context.task
    sizes = sizes_in(Path(context.run.repo), contract.scope)
    return make_estimate(contract, task.agent.name, task.profile, sizes, context.engine.reader)


def make_estimate(
    contract: Contract, agent: str, profile: Profile, sizes: Sequence[int] | None, reader: Reader
) -> Estimate:
    """Return what to expect of a child of this agent, with files of these sizes in its scope."""
    return estimate(
        sizes,
        reader.start_ups(agent, profile.value),
        default=agent_named(agent).start_up,
        limit_tokens=contract.limit_tokens,
    )


def check_scope(tree: Path, scope: Sequence[str]) -> None:
    """Raise ContractError for an entry that looks like a path and matches nothing in `tree`.

    What a symbolic link leads to outside of `tree` is not in it.
    """
    for entry in scope:
        if _is_prose(tree, entry):
            continue
        # Of a glob, what comes before its first wildcard: git follows no link that one matches.
        if inside(tree, _GLOB.split(entry, maxsplit=1)[0]) is None:
            raise ContractError(
                f"{entry} is outside {tree}", hint="a child sees the tree that it is started in"
            )
        if not (_exists(tree / entry) or _matches(tree, entry)):
            hint = "paths are relative to the top of the tree; a text has spaces in it"
            raise ContractError(f"there is no {entry} in {tree}", hint=hint)


def sizes_in(tree: Path, scope: Sequence[str]) -> list[int] | None:
    """Return the sizes, in bytes, of the files of `tree` that `scope` names; None: it names none.

    What git ignores does not count, unless it is named itself.
    """
    named = [entry for entry in scope if not _is_prose(tree, entry)]
    files = dict.fromkeys(os.path.relpath(tree / e, tree) for e in named if _is_file(tree / e))
    wide = [entry for entry in named if not _is_file(tree / entry)]
    if wide:
        options = ("--cached", "--others", "--exclude-standard", "-z")
        kinds = ((e, "literal" if _exists(tree / e) else "glob") for e in wide)
        specs = [f":({kind}){os.path.relpath(tree / e, tree)}" for e, kind in kinds]
        files |= dict.fromkeys(split(git(_where(tree), "ls-files", *options, "--", *specs)))
    sizes = [size for name in files if (size := _size(tree, name)) is not None]
    return sizes or None


def _where(tree: Path) -> Where:
    """Return how git may look at `tree`; a session may delegate from its own worktree."""
    return guard_around(tree, find_places().worktrees) or tree


def _size(tree: Path, name: str) -> int | None:
    try:
        file = tree / name
        if file.is_symlink() and inside(tree, name) is None:
            return None
        return file.stat().st_size
    except OSError:
        return None  # deleted, and not yet committed so


def _is_prose(tree: Path, entry: str) -> bool:
    return not entry.strip() or (" " in entry.strip() and not _exists(tree / entry))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, or no name at all
        return False


def _is_file(path: Path) -> bool:
    return _exists(path) and path.is_file()


def _matches(tree: Path, entry: str) -> bool:
    """Return whether `entry` is a glob that something in `tree` matches, be it ignored or not.

    git answers: it goes through no symbolic link, and however many wildcards there are once.
    """
    if not _GLOB.search(entry):
        return False
    spec = f":(glob){os.path.relpath(tree / entry, tree)}"
    found = call(
        _where(tree),
        "ls-files",
        "--cached",
        "--others",
        "-z",
        "--",
        spec,
        codes=range(256),
        timeout=_PATIENCE,
    )
    return found.code == 0 and bool(found.stdout)
