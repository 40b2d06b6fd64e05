"""Faults that come from a person's git: what is removed, cleaned or moved in the middle."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.support.faults import Scene
from tests.support.repos import Repo


@dataclass(frozen=True)
class GitFault:
    """Somebody does something in the repository; `what` is given the scene and the repository.

    It may be refused by git, as while a landing has a lock: then nothing has gone wrong.
    """

    name: str
    what: Callable[[Scene, Repo], None]
    stations: Mapping[str, str]

    def strike(self, scene: Scene) -> None:
        self.what(scene, scene.stage.repo)

    def heal(self, scene: Scene) -> None:
        """Nothing is to be made good: what a person did stays."""


def remove_worktree(scene: Scene, _: Repo) -> None:
    if worktree := scene.session.worktree:
        shutil.rmtree(worktree, ignore_errors=True)  # what works in it may put something back


def remove_branch(scene: Scene, repo: Repo) -> None:
    if branch := scene.session.branch:
        repo.git("update-ref", "-d", f"refs/heads/{branch}")


def collect_garbage(_: Scene, repo: Repo) -> None:
    repo.git("gc", "-q", "--prune=now", check=False)


def prune_worktrees(_: Scene, repo: Repo) -> None:
    repo.git("worktree", "prune", "--expire=now")


def commit(scene: Scene, repo: Repo) -> None:
    """Commit a file of one's own to what is checked out."""
    name = f"user-{len(scene.stage.met())}.txt"
    repo.write({name: f"{name}\n"})
    repo.git("add", name, check=False)
    repo.git("commit", "-qm", f"user: {name}", "--", name, check=False)
    if repo.git("status", "--porcelain", "--", name):  # it was refused: a landing has the index
        (repo.path / name).unlink()


def check_out_another(_: Scene, repo: Repo) -> None:
    """Leave the target's branch for another."""
    repo.git("switch", "-q", "-C", "elsewhere", check=False)


def rebase(_: Scene, repo: Repo) -> None:
    """Rewrite the newest commit of the target."""
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "user: rewritten", check=False)


def force_push_target(_: Scene, repo: Repo) -> None:
    """Put the target on another commit, as a push by force does where it is not checked out."""
    if repo.git("branch", "--show-current") != "main":
        tree = repo.git("rev-parse", "main^{tree}")
        made = repo.git("commit-tree", tree, "-p", "main~1", "-m", "user: pushed by force")
        repo.git("update-ref", "refs/heads/main", made)


def force_push_session(scene: Scene, repo: Repo) -> None:
    """Put the session's branch on another commit."""
    if branch := scene.session.branch:
        tree = repo.git("rev-parse", "main^{tree}")
        made = repo.git("commit-tree", tree, "-p", "main", "-m", "user: pushed by force")
        repo.git("update-ref", f"refs/heads/{branch}", made)
