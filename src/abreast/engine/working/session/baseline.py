"""What a session found when its agent began, noted beside its logs: what it may not change.

The note is made once for each attempt, after the plan's own setup command, and lies in the
attempt's folder, outside the worktree. A value that looks like a secret is noted as its digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.engine.working.session.context import SessionContext
from abreast.git.branches import branch_tips
from abreast.git.guard import find_admin
from abreast.git.reflog import ids_in, read_log
from abreast.git.repository import Repository
from abreast.git.steering import Setting, steering
from abreast.handoff.masking import mask
from abreast.process.files import load_as, write_json

_FILE = "before.json"
_LONGEST = 300  # characters of a value that is noted as it is
DIGEST = "sha256:"  # what is noted in place of a value begins so

Settings = Mapping[Setting, tuple[str, ...]]


@dataclass(frozen=True)
class Baseline:
    """`admin` is the worktree's own folder in the repository, `log` the size of its HEAD reflog,
    `seen` the ids in it, `heads` all branches with their commits. `settings` is what steers git, in
    rows: the file, the key in it, and the values.
    """

    admin: Path
    log: int
    seen: frozenset[str]
    heads: Mapping[str, str]
    settings: tuple[tuple[str, ...], ...]

    @property
    def steering(self) -> Settings:
        """What steers git."""
        return {(file, key): tuple(values) for file, key, *values in self.settings}


def note(context: SessionContext, *, anew: bool = False) -> None:
    """Note how things are, unless that is done; `anew`: the plan's own command has run since."""
    folder, repo = context.layout.directory, context.repository
    admin = find_admin(repo, context.layout.worktree)
    if admin is None or ((folder / _FILE).exists() and not anew):
        return
    found = _look(repo, admin)
    if (first := _resumed(context, admin)) is not None:
        steps = [entry.checkout for entry in read_log(admin / "logs/HEAD", first.log)]
        made = {name for step in steps if step for name in step} - set(first.heads)
        heads = {name: tip for name, tip in found.heads.items() if name not in made}
        # What was done since the first attempt is this session's own.
        found = replace(found, seen=first.seen, heads=heads)
    write_json(folder / _FILE, found)


def note_trial(repo: Repository, worktree: Path, folder: Path) -> None:
    """Note in `folder` how things are before a command runs in the scratch worktree `worktree`."""
    if (admin := find_admin(repo, worktree)) is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_json(folder / _FILE, _look(repo, admin))


def _look(repo: Repository, admin: Path) -> Baseline:
    log = admin / "logs/HEAD"
    size = log.stat().st_size if log.exists() else 0
    settings = tuple((*at, *values) for at, values in settings_now(repo, admin).items())
    return Baseline(admin, size, frozenset(ids_in(admin)), branch_tips(repo), settings)


def _resumed(context: SessionContext, admin: Path) -> Baseline | None:
    """Return what the attempt before this one found, where this one goes on in its worktree."""
    if not context.session.cli_session or context.layout.attempt == 1:
        return None
    before = found_in(replace(context.layout, attempt=context.layout.attempt - 1).directory)
    return before if before is not None and before.admin == admin else None


def found_in(folder: Path) -> Baseline | None:
    """Return what an attempt found, by its folder; None when it did not get as far."""
    return load_as(Baseline, folder / _FILE)


def settings_now(repo: Repository, admin: Path) -> Settings:
    """Return what steers git now, as it is noted."""
    found = steering(repo.common_dir, admin)
    return {at: tuple(map(_noted, values)) for at, values in found.items()}


def _noted(value: str) -> str:
    if len(value) <= _LONGEST and mask(value) == value:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return value if value.startswith(DIGEST) else f"{DIGEST}{digest}"
