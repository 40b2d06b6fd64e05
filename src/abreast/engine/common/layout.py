"""Names: where a session's files lie, what its branch and refs are called."""

from dataclasses import dataclass, replace
from pathlib import Path

from abreast.git.guard import guard_repository
from abreast.git.repository import Repository, find_repository
from abreast.model.session import Session
from abreast.model.text import unique_name
from abreast.places import Places

STOP = "stop"  # the file whose existence stops every job of an attempt
ROUNDS = ("agent", "repair-1", "repair-2")  # the jobs of an agent: a child may be asked again
_POOL = ".pool"
JOBS = ("setup", *ROUNDS, "verify")
LOST = "-lost"  # behind the name of a job that was run again because its runner was gone


@dataclass(frozen=True)
class SessionLayout:
    """Paths and names of one attempt at one task."""

    places: Places
    common_dir: Path
    run: str
    task: str
    attempt: int = 1
    slot: Path | None = None  # the worktree of the warm pool that it works in, if it has one
    placed: Path | None = None  # the worktree that an earlier version has made elsewhere

    @property
    def id(self) -> str:
        return f"{self.run}/{self.task}"

    @property
    def directory(self) -> Path:
        """The attempt's own folder; logs, prompt and results stay there."""
        return self.places.sessions / self.run / self.task / str(self.attempt)

    @property
    def cli_directory(self) -> Path:
        """The folder an adapter may write to; the same for every attempt, so that resume works."""
        return self.places.sessions / self.run / self.task / "cli"

    @property
    def mailbox(self) -> Path:
        """The folder of messages to the session; the same for every attempt."""
        return self.cli_directory / "mailbox"

    @property
    def deliverable(self) -> Path:
        """The file that holds all that came of a delegation."""
        return self.directory / "deliverable.json"

    @property
    def aside(self) -> Path:
        """The folder for files of its worktree that no commit can hold."""
        return self.places.aside / self.run / self.task

    @property
    def stop_file(self) -> Path:
        return self.directory / STOP

    def job(self, name: str) -> Path:
        """The folder of one of `JOBS`."""
        return self.directory / name

    @property
    def worktree(self) -> Path:
        own = self.slot or self.placed
        return own or repository_folder(self.places, self.common_dir) / self.run / self.task

    @property
    def branch(self) -> str:
        return f"abreast/{self.run}/{self.task}"

    def ref(self, kind: str) -> str:
        """A hidden ref of this session, such as `snap` for work that is not committed."""
        return f"refs/abreast/{kind}/{self.run}/{self.task}"


def layout_of(session: Session, places: Places, common_dir: Path) -> SessionLayout:
    """Return the names of a session's current attempt.

    A worktree stays where it was made, whatever the folder of its repository was called then.
    """
    found = SessionLayout(places, common_dir, session.run, session.task, session.attempt)
    worktree = Path(session.worktree)
    if not worktree.is_relative_to(places.worktrees):
        return found
    if worktree.parent.name == _POOL:
        return replace(found, slot=worktree)
    own = worktree.parts[-2:] == (session.run, session.task)
    return replace(found, placed=worktree) if own else found


def repository_folder(places: Places, common_dir: Path) -> Path:
    """The folder that holds this repository's worktrees, outside the repository."""
    name = common_dir.parent.name if common_dir.name == ".git" else common_dir.stem
    return places.worktrees / unique_name(name or "repository", bytes(common_dir))


def repository_lock(places: Places, common_dir: Path) -> Path:
    """The file that is locked during every change of the repository's worktree metadata."""
    return places.locks / f"{repository_folder(places, common_dir).name}.lock"


def pool_folder(places: Places, common_dir: Path) -> Path:
    """The folder of the repository's warm worktrees."""
    return repository_folder(places, common_dir) / _POOL


def landing_folder(places: Places, common_dir: Path, target: str) -> Path:
    """The scratch worktree in which merges onto `target` are tested; kept warm."""
    return repository_folder(places, common_dir) / f".landing-{unique_name(target, target)}"


def repository_of_run(places: Places, run: str, path: Path) -> Repository:
    """Return a run's repository, to be called with the configuration from when the run began.

    `path` is the checkout that it was started in. Raises NotFoundError when it is gone.
    """
    found = find_repository(path, worktrees=places.worktrees, recorded=True)
    return guard_repository(found, places.runs / run / "git")


def landing_stop_file(places: Places, run: str) -> Path:
    """The file whose existence stops the trials of a run's merges."""
    return places.runs / run / "stop-landing"
