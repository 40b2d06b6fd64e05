"""The rows of the ledger: requests of many sessions, grouped and priced."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import fsum, inf

from abreast.economics.prices import cost_of
from abreast.model.ledger import QUARTER, By, Cost, LedgerRow, Tally

NO_DAY = "no date"
NO_MODEL = "not named"
NO_RUN = "by hand"  # sessions that abreast did not start


@dataclass(frozen=True)
class Part:
    """What one transcript came to. `whole` is the session that it counts for, itself or a parent.

    `run` is empty for sessions that abreast did not start. `name` is what the session is called.
    """

    agent: str
    whole: str
    tallies: Sequence[Tally]
    name: str = ""
    run: str = ""
    cwd: str = ""
    subagent: bool = False
    begun: float = 0.0
    gone: bool = False


def rows(
    parts: Sequence[Part], by: By, since: float = 0.0, stated: Mapping[str, float] | None = None
) -> tuple[list[LedgerRow], LedgerRow]:
    """Return a row for each day, session, run, agent or model, and the row of all of them.

    Only requests from `since` on count, to the quarter of an hour. `stated` is what a CLI said that
    a whole session has cost, by its name: it is divided among its requests as their price is.
    """
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    total = _Sum()
    day_of = lru_cache(None)(_day)
    costs = _costs(parts, stated or {})
    for number, part in enumerate(parts):
        for one, cost in zip(part.tallies, costs[number], strict=True):
            if one.quarter * QUARTER < since:
                continue
            name = _name(by, part, one, day_of)
            sums[name].add(number, part, one, cost)
            total.add(number, part, one, cost)
    found = [one.row(name) for name, one in sums.items()]
    if by in {By.AGENT, By.MODEL}:
        found.sort(key=lambda row: (-row.input_tokens, row.name))
    else:
        found.sort(key=lambda row: (row.begun, row.name))
    return found, total.row("total")


class _Sum:
    """A row that grows."""

    def __init__(self) -> None:
        self._agents: set[str] = set()
        self._sessions: set[tuple[str, str]] = set()
        self._subagents: set[int] = set()
        self._counts = [0] * 5
        self._costs: list[Cost] = []
        self._cwds: set[str] = set()
        self._begun = inf
        self._gone = False

    def add(self, number: int, part: Part, one: Tally, cost: Cost) -> None:
        self._agents.add(part.agent)
        self._sessions.add((part.agent, part.whole))
        if part.subagent:
            self._subagents.add(number)
        elif part.cwd:
            self._cwds.add(part.cwd)
        added = one.requests, one.prompt, one.cached, one.written, one.output
        self._counts = [a + b for a, b in zip(self._counts, added, strict=True)]
        self._costs.append(cost)
        if one.quarter:
            self._begun = min(self._begun, max(part.begun, one.quarter * QUARTER))
        self._gone |= part.gone

    def row(self, name: str) -> LedgerRow:
        requests, prompt, cached, written, output = self._counts
        return LedgerRow(
            name=name,
            agents=tuple(sorted(self._agents)),
            cwd=next(iter(self._cwds)) if len(self._cwds) == 1 else "",
            sessions=len(self._sessions),
            subagents=len(self._subagents),
            requests=requests,
            input_tokens=prompt,
            cached_tokens=cached,
            written_tokens=written,
            output_tokens=output,
            cost=_together(self._costs),
            begun=self._begun if self._begun < inf else 0.0,
            gone=self._gone,
        )


def _name(by: By, part: Part, one: Tally, day_of: Callable[[int], str]) -> str:
    match by:
        case By.DAY:
            return day_of(one.quarter)
        case By.SESSION:
            return part.name or part.whole
        case By.RUN:
            return part.run or NO_RUN
        case By.AGENT:
            return part.agent
        case By.MODEL:
            return one.model or NO_MODEL


def _day(quarter: int) -> str:
    """Return the day as the machine's clock has it: other time zones have other days."""
    if not quarter:
        return NO_DAY
    return datetime.fromtimestamp(quarter * QUARTER).astimezone().date().isoformat()


def _costs(parts: Sequence[Part], stated: Mapping[str, float]) -> list[list[Cost]]:
    """Return what the tallies of each part cost."""
    whole: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        if part.name in stated:
            whole[part.name] += sum(map(_weight, part.tallies))
    return [
        [
            Cost(stated=stated[part.name] * _weight(one) / whole[part.name])
            if whole.get(part.name)
            else _cost(one)
            for one in part.tallies
        ]
        for part in parts
    ]


def _weight(one: Tally) -> float:
    known = cost_of(one.model, one.prompt, one.cached, one.written, one.output)
    # Of a model without a price: a cached token costs a tenth, one that is said five times as much.
    return known or (one.prompt - 0.9 * one.cached + 5 * one.output) / 1_000_000


def _cost(one: Tally) -> Cost:
    if one.stated:
        return Cost(stated=one.cost, unpriced=one.requests - one.stated)
    known = cost_of(one.model, one.prompt, one.cached, one.written, one.output)
    return Cost(estimated=known) if known is not None else Cost(unpriced=one.requests)


def _together(costs: Sequence[Cost]) -> Cost:
    stated = [one.stated for one in costs if one.stated is not None]
    estimated = [one.estimated for one in costs if one.estimated is not None]
    return Cost(
        fsum(stated) if stated else None,
        fsum(estimated) if estimated else None,
        sum(one.unpriced for one in costs),
    )
