"""What every face shows: the sessions of this machine in groups, and what waits for a person.

A snapshot is read from the database and changes nothing; `abreast.snapshot` and `abreast.changes`
return it. How a session comes into its group is in `model.groups`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from abreast.model.moment import Moment
from abreast.model.session import LandState, Presence, Run, RunState, Session

if TYPE_CHECKING:
    from abreast.model.need import Need


class Group(StrEnum):
    """Where a row stands, in the order in which faces show them."""

    NEEDS_YOU = "needs you"  # nothing happens until a person decides; the oldest need first
    FAILED = "failed"  # it has not come to what was asked; also what you have stopped
    WORKING = "working"
    WAITING = "waiting"  # for other tasks or for a free place
    TO_LAND = "to land"
    DONE = "done"


@dataclass(frozen=True, repr=False)
class Row:
    """One session as faces show it. `repo` is the path of its repository, `target` the branch.

    `since` is when it came into its state. `waits` says what a waiting session waits for.
    """

    session: Session
    repo: str
    target: str
    group: Group
    since: Moment
    need: "Need | None" = None
    waits: str = ""

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def sentence(self) -> str:
        """What the session was to do: its task's sentence, or what a child was asked."""
        return self.session.produces

    @property
    def tokens(self) -> int | None:
        """Tokens in and out over all attempts; None where they are not known."""
        usage = self.session.usage
        known = [n for n in (usage.input_tokens, usage.output_tokens) if n is not None]
        return sum(known) if known else None

    @property
    def state(self) -> str:
        """The word for where it stands: its state, or its landing's once that has begun."""
        session = self.session
        return session.state if session.landing is LandState.NONE else session.landing

    def age(self, now: Moment) -> float:
        """Return the seconds since it came into its state."""
        return now.since(self.since)


@dataclass(frozen=True, repr=False, eq=False)
class Watched:
    """A run of a snapshot, and who works on it."""

    run: Run
    presence: Presence

    @property
    def goes_on(self) -> bool:
        """Whether it has work that agents do; a person's own session is not theirs."""
        return not self.run.state.final and self.run.state is not RunState.OPEN


@dataclass(frozen=True, repr=False, eq=False)
class Snapshot:
    """All rows, in the order in which they are shown, and the runs that they belong to.

    `revision` is equal exactly where all else is: give it to `abreast.changes` to learn of what has
    changed since. `runs` are newest first. Nothing in it depends on the time of reading.
    """

    revision: str
    rows: tuple[Row, ...] = ()
    runs: tuple[Watched, ...] = ()

    def only(
        self, repo: str = "", states: Sequence[str] = (), agents: Sequence[str] = ()
    ) -> "Snapshot":
        """Return the snapshot with these rows alone, and the runs that have any.

        `repo` is the path of a repository or its last part, a state that of a session or a group's
        name (`needs-you`). What is not given leaves nothing out.
        """

        def fits(row: Row) -> bool:
            session, path = row.session, row.repo.rstrip("/")
            words = {session.state.value, row.group.replace(" ", "-")}
            return (
                (not repo or repo.rstrip("/") in {path, path.rpartition("/")[2]})
                and (not states or not words.isdisjoint(states))
                and (not agents or session.agent in agents)
            )

        return self.with_rows(row for row in self.rows if fits(row))

    def with_rows(self, rows: Iterable[Row]) -> "Snapshot":
        """Return the snapshot with these rows instead of its own, and the runs that have any."""
        found = tuple(rows)
        names = {row.session.run for row in found}
        runs = tuple(one for one in self.runs if one.run.id in names)
        return Snapshot(self.revision, found, runs)

    def groups(self) -> Iterator[tuple[Group, tuple[Row, ...]]]:
        """Yield each group that has rows, with these."""
        for group in Group:
            if rows := tuple(row for row in self.rows if row.group is group):
                yield group, rows
