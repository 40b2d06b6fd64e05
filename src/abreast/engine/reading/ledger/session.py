"""What one of abreast's own sessions has used, as the ledger counts it, from its CLI's own record.

Only the files of that session are read, so it is the same sum without the whole ledger.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path

from abreast.agents import records_of
from abreast.agents.parts import Records
from abreast.economics.ledger import merged, tally, unrecorded
from abreast.engine.reading.ledger.read import Reading, Requests, names_in, read, unpack
from abreast.engine.reading.transcripts import transcript_files
from abreast.model.economy import Tally
from abreast.model.session import Session
from abreast.model.transcript import Spent
from abreast.model.usage import Usage
from abreast.places import Places
from abreast.store.transcripts import Indexed

_GENERATIONS = 8  # of subagents


@dataclass
class SessionUsage:
    """The requests of a session, each counted once.

    `own` has them by the CLI session that made them, in the order of its record; `sums` has all,
    also those of subagents, and those that the CLI has counted and not recorded.
    """

    own: dict[str, list[Spent]] = field(default_factory=dict)
    sums: list[Tally] = field(default_factory=list)

    @property
    def total(self) -> Usage:
        return reduce(add, self.by_model.values(), Usage())

    @property
    def by_model(self) -> dict[str, Usage]:
        """The tokens of each model: a CLI that records what they have cost does so elsewhere."""
        found: dict[str, Usage] = {}
        for one in self.sums:
            usage = Usage(one.prompt, one.cached, one.output, None, "transcript")
            found[one.model] = found.get(one.model, Usage()) + usage
        return found


def read_session(
    session: Session, known_as: Sequence[str], places: Places, environ: Mapping[str, str]
) -> SessionUsage | None:
    """Return what a session's CLI has recorded of it; None when there is no record.

    `known_as` are the ids that its CLI has known it by, one for each time that it began anew.
    """
    files = transcript_files(session, known_as, places, environ)
    if not files:
        return None
    records, found, names = records_of(session.agent), SessionUsage(), set[bytes]()
    for cli_session, paths in files.items():
        counted, family = None, list[Tally]()
        for path in paths:
            main = read(Indexed(str(path), session.agent))
            requests = _new(main, names)
            found.own.setdefault(cli_session, []).extend(requests.values())
            family += tally(requests.values())
            counted = (main.row.load_state().get("spending") or {}).get("counted", counted)
            if len(requests) < len(names_in(main.requests)):
                counted = None  # a fork: that is also of what it was taken from
            for below in _subagents(records, path):
                family += tally(_new(read(Indexed(str(below), session.agent)), names).values())
        found.sums += [*family, *(unrecorded(counted, family) or [] if counted else [])]
    found.sums = merged(found.sums)
    return found


def _new(reading: Reading, names: set[bytes]) -> Requests:
    """Return the requests of a file that no other has told of."""
    requests = unpack(reading.requests, reading.row.models)
    new = {name: one for name, one in requests.items() if name not in names}
    names.update(new)
    return new


def _subagents(records: Records, path: Path, left: int = _GENERATIONS) -> Iterator[Path]:
    """Yield the transcripts of a session's subagents, and of theirs."""
    for child in records.children(path) if left else ():
        yield child
        yield from _subagents(records, child, left - 1)
