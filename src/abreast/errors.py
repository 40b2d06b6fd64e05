"""Every error abreast raises on purpose, with the data a caller needs and a hint for a person.

AbreastError
├── ContractError        a contract asks for a shape that does not exist or is not a JSON Schema
├── PlanError            the plan, the options or the repository under it are not fit to run
├── NotFoundError        no such run, session or agent
├── StateError           the thing exists, but its state does not allow this
│   ├── TransitionError  a session, a run or a landing cannot go from the one state to the other
│   ├── UntrustedError   a project's settings wait for a yes
│   ├── FullError        a disk is full
│   └── ReadOnlyError    a file or folder may not be written
├── GitError             a git command failed
├── CommandError         another program failed
├── AgentError           an agent CLI is missing, too old or cannot do what was asked
├── ShapeError           a file or message is not of the shape that this version reads
├── WorkerError          the background worker cannot start or has been fenced off
├── OutputError          standard output does not take what is printed
└── StoreError           the database is missing, locked or newer than this abreast
    └── DamagedError     the database file is no database any more, or a broken one

A message says what failed, on what; `hint` names what to do next. Faces print both and exit
with `exit_code`: 0 done, 1 you can fix it, 2 usage, 3 our bug, 130 interrupted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class AbreastError(Exception):
    """Base of all errors that a user or a calling program can act on."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a plan: where (a line, a key or an option), what, and what to do."""

    where: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"


class PlanError(AbreastError):
    """Everything found wrong with a plan, all at once, before anything has started."""

    def __init__(self, problems: Sequence[Problem], *, what: str = "the plan") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        cannot = "cannot run" if what == "the plan" else "are wrong"
        head = f"{what} {cannot}: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *(str(p) for p in self.problems)]))


class ContractError(AbreastError):
    """A contract that nobody could fulfil."""


class NotFoundError(AbreastError):
    """No run, session or agent answers to this name."""


class StateError(AbreastError):
    """The run or session is in a state that does not allow this."""


class UntrustedError(StateError):
    """The settings that a project asks for wait until a person has said yes to them.

    `repository` is its folder, `base` the commit that has them, `asked` their dotted keys and
    values.
    """

    def __init__(self, repository: str, base: str, asked: Mapping[str, object]) -> None:
        from shlex import quote  # no start of abreast waits for it

        self.repository, self.base, self.asked = repository, base, dict(asked)
        said = ", ".join(self.asked)
        where = "" if Path.cwd().is_relative_to(repository) else f" --repo {quote(repository)}"
        super().__init__(
            f"abreast.toml of {repository} sets {said}, to which you have not said yes",
            hint=f"to see them, and say yes: abreast settings trust --base {base[:12]}{where}",
        )


FREE_SPACE = "free some space there (`abreast clean` lists what can go); what was done is kept"


class FullError(StateError):
    """A disk is full, or what its owner may use of it; `where` is a folder on it, "" if unknown."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(
            f"{f'the disk of {where}' if where else 'a disk'} is full", hint=FREE_SPACE
        )


class ReadOnlyError(StateError):
    """A file or folder may not be written."""


class OutputError(AbreastError):
    """Standard output does not take what is printed."""


class TransitionError(StateError):
    """The session or run `name` cannot go from the state `old` to `new`."""

    def __init__(self, name: str, old: str, new: str, said: str, *, hint: str | None) -> None:
        self.name, self.old, self.new = name, old, new
        super().__init__(f"{name} {said}", hint=hint)


class CommandError(AbreastError):
    """A program exited with a code other than 0, or could not be started (`code` is None)."""

    def __init__(
        self,
        argv: Sequence[str],
        code: int | None,
        stdout: str = "",
        stderr: str = "",
        *,
        cwd: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.argv = tuple(argv)
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        self.cwd = cwd
        said = (stderr.strip() or stdout.strip() or "no output")[-2000:]
        place = f" in {cwd}" if cwd else ""
        super().__init__(f"`{' '.join(argv)}`{place} failed ({code}): {said}", hint=hint)


class GitError(CommandError):
    """A git command failed; `stderr` is git's own."""


class AgentError(AbreastError):
    """An agent CLI is missing, or cannot do what was asked of it."""


class ShapeError(AbreastError):
    """A file or message of abreast's own is not of the shape that this version reads.

    `what` names it, `place` is the place in it ("" for the whole), such as `limits.minutes`.
    """

    def __init__(self, what: str, place: str, expected: str) -> None:
        self.what, self.place, self.expected = what, place, expected
        at = f"{place}: " if place else ""
        hint = "a newer abreast may have written it: upgrade"
        super().__init__(f"{what} cannot be read: {at}{expected}", hint=hint)


class WorkerError(AbreastError):
    """The background worker cannot start, or another one holds its place."""


class StoreError(AbreastError):
    """The database cannot be read or written as it stands."""


class DamagedCacheError(StoreError):
    """A file that only keeps what can be made again was damaged; it has been removed."""


class DamagedError(StoreError):
    """The database file is no database any more, or a broken one. The work is not in it."""

    def __init__(self, message: str) -> None:
        hint = "abreast doctor tells where the work is; abreast recover rebuilds the records"
        super().__init__(message, hint=hint)
