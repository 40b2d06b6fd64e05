"""What cleaning up does, or would do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Removal:
    """One worktree that `clean` removed, would remove, or refuses to remove.

    `reason` says why it can go ("landed in main"), `kept` why it stays ("not landed"); one of the
    two is empty. `rescue` is the ref that still holds its work. `bytes` is what its files take.
    `ignored` are the files that git ignores and that were written since the session began: they go
    with the worktree.
    """

    session: str
    worktree: Path
    bytes: int
    reason: str = ""
    kept: str = ""
    rescue: str = ""
    ignored: tuple[str, ...] = ()
