"""The test repository as abreast sees it, and a place for worktrees beside it."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from abreast.git.commit import anchor
from abreast.git.guard import guard_repository, guard_worktree
from abreast.git.guarded import Guarded
from abreast.git.making import Ready, ensure_worktree
from abreast.git.publish import pack, published
from abreast.git.repository import Repository, find_repository
from abreast.git.worktree import WorktreeSpec
from tests.support.repos import Repo


@dataclass(frozen=True)
class Bench:
    """A repository, its lock, and shortcuts for worktrees of it."""

    repo: Repo
    found: Repository
    state: Path

    def later(self) -> "Bench":
        """Return the same for a run that begins now, with the configuration and hooks of now."""
        found = guard_repository(find_repository(self.repo.path), self.state / "guard-of-later")
        return replace(self, found=found)

    @property
    def lock(self) -> Path:
        return self.found.lock(self.state / "locks")

    @property
    def trash(self) -> Path:
        return self.state / "trash"

    @property
    def head(self) -> str:
        return self.repo.git("rev-parse", "main")

    def spec(self, name: str, *, base: str = "", branch: str | None = None) -> WorktreeSpec:
        path = self.state / "worktrees" / name
        chosen = f"abreast/run/{name}" if branch is None else branch
        return WorktreeSpec(path, chosen, base or self.head, f"abreast run/{name}")

    def ensure(self, spec: WorktreeSpec) -> Ready:
        return ensure_worktree(self.found, spec, lock=self.lock)

    def worktree(self, name: str) -> Repo:
        return Repo(self.ensure(self.spec(name)).path)

    def guarded(self, tree: Repo) -> Guarded:
        return guard_worktree(self.found, tree.path)

    def publish(self, tree: Guarded, commit: str, ref: str) -> None:
        """Bring a commit that was made in a worktree's object folder into the repository."""
        known = [self.head]
        made = (commit, pack(tree, [commit], known))
        with published(self.found, tree, made, known=known):
            anchor(self.found, ref, commit, reason="published")

    def branch(self, name: str, files: dict[str, str], *, base: str = "main") -> str:
        """Commit `files` on the new branch `name` off `base` and return to `main`."""
        self.repo.git("checkout", "-qb", name, base)
        commit = self.repo.commit(name, files)
        self.repo.git("checkout", "-q", "main")
        return commit


@pytest.fixture
def bench(repo: Repo, tmp_path: Path) -> Bench:
    found = guard_repository(find_repository(repo.path), tmp_path / "guard")
    return Bench(repo, found, tmp_path / "state")
