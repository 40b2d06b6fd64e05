"""What a session found when its agent began, noted beside its logs: what it may not change.

The note is made once for each attempt, after the plan's own setup command, and lies in the
attempt's folder, outside the worktree. A value that looks like a secret is noted as its digest.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from abreast.engine.session.layout import SessionLayout
from abreast.engine.session.scene import Scene
from abreast.git.heads import branch_tips
from abreast.git.reflog import ids_in, read_log
from abreast.git.status import own_git_dir
from abreast.git.steering import Setting, steering
from abreast.handoff.masking import mask
from abreast.process.files import load_json, write_json

_FILE = "before.json"
_LONGEST = 300  # characters of a value that is noted as it is
DIGEST = "sha256:"  # what is noted in place of a value begins so

Settings = Mapping[Setting, tuple[str, ...]]


@dataclass(frozen=True)
class Before:
    """`admin` is the worktree's own folder in the repository, `log` the size of its HEAD reflog,
    `seen` the ids in it, `heads` all branches with their commits, `settings` what steers git.
    """

    admin: Path
    log: int
    seen: frozenset[str]
    heads: Mapping[str, str]
    settings: Settings


def note(scene: Scene, *, anew: bool = False) -> None:
    """Note how things are, unless that is done; `anew`: the plan's own command has run since."""
    file = scene.layout.directory / _FILE
    admin = own_git_dir(scene.layout.worktree)
    if admin is None or (file.exists() and not anew):
        return
    heads, seen, log = branch_tips(scene.repository), ids_in(admin), admin / "logs/HEAD"
    if (first := _resumed(scene, admin)) is not None:
        seen = set(first.seen)  # what was done since is this session's
        steps = [entry.checkout for entry in read_log(log, first.log)]
        made = {name for step in steps if step for name in step} - set(first.heads)
        heads = {name: tip for name, tip in heads.items() if name not in made}
    known = settings_now(scene, admin)
    value = {
        "admin": str(admin),
        "log": log.stat().st_size if log.exists() else 0,
        "seen": sorted(seen),
        "heads": heads,
        "settings": [[*at, *values] for at, values in known.items()],
    }
    write_json(file, value)


def _resumed(scene: Scene, admin: Path) -> Before | None:
    """Return what the attempt before this one found, where this one goes on in its worktree."""
    if not scene.session.cli_session or scene.layout.attempt == 1:
        return None
    before = found_by(replace(scene.layout, attempt=scene.layout.attempt - 1))
    return before if before is not None and before.admin == admin else None


def found_by(layout: SessionLayout) -> Before | None:
    """Return what an attempt found; None when it did not get as far, or is an older abreast's."""
    raw = load_json(layout.directory / _FILE)
    if raw is None:
        return None
    settings = {(file, key): tuple(values) for file, key, *values in raw["settings"]}
    return Before(Path(raw["admin"]), raw["log"], frozenset(raw["seen"]), raw["heads"], settings)


def settings_now(scene: Scene, admin: Path) -> Settings:
    """Return what steers git now, as it is noted."""
    found = steering(scene.repository.common_dir, admin)
    return {at: tuple(map(_noted, values)) for at, values in found.items()}


def _noted(value: str) -> str:
    if len(value) <= _LONGEST and mask(value) == value:
        return value
    digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
    return value if value.startswith(DIGEST) else f"{DIGEST}{digest}"
