"""Where abreast keeps its state: one folder outside every repository, and one database."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast.errors import StateError
from abreast.model.text import unique_name


@dataclass(frozen=True)
class Places:
    """The folders of one abreast installation. `database` is a SQLAlchemy URL."""

    state: Path
    database: str

    @property
    def worktrees(self) -> Path:
        return self.state / "worktrees"

    @property
    def sessions(self) -> Path:
        return self.state / "sessions"

    @property
    def runs(self) -> Path:
        return self.state / "runs"

    @property
    def locks(self) -> Path:
        return self.state / "locks"

    @property
    def forwards(self) -> Path:
        """The folder of the intents of landings into checkouts, until they are done."""
        return self.state / "forwards"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def trash(self) -> Path:
        return self.state / "trash"

    @property
    def aside(self) -> Path:
        """The folder of files that no commit can hold, moved out of worktrees that were removed."""
        return self.state / "aside"

    def handoff_of(self, checkout: Path) -> Path:
        """Return where the handoff of the newest session of a checkout lies, outside of it."""
        name = unique_name(checkout.name or "root", bytes(checkout))
        return self.state / "handoffs" / name / "CURRENT_WORK.md"

    def make(self) -> "Places":
        """Create the folders, readable by the user alone, and return self; raises StateError."""
        # They keep others out, so that the files in a worktree can have the user's ordinary modes.
        folders = (self.worktrees, self.sessions, self.runs, self.locks, self.logs, self.trash)
        try:
            for folder in (self.state, *folders):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.state.chmod(0o700)  # it may have been made by somebody else, for everybody
        except OSError as failure:
            raise StateError(
                f"{failure.filename or self.state} cannot be written: {failure.strerror}",
                hint="set ABREAST_STATE_DIR to a folder that you can write",
            ) from failure
        return self


def find_places(environ: Mapping[str, str] | None = None) -> Places:
    """Return the places named by `ABREAST_STATE_DIR` and `ABREAST_DB`, else the user's own.

    Creates nothing.
    """
    env = os.environ if environ is None else environ
    named = env.get("ABREAST_STATE_DIR")
    state = Path(named) if named else _state_of_user()
    database = env.get("ABREAST_DB") or f"sqlite:///{state / 'abreast.db'}"
    return Places(state, database)


def _state_of_user() -> Path:
    import platformdirs  # with much of the standard library: a worker and its hooks are told

    return platformdirs.user_state_path("abreast", appauthor=False)
