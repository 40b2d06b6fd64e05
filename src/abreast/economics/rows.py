"""The rows of the ledger: requests of many sessions, grouped and priced."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, inf

from abreast.economics.prices import NO_PRICES, Prices
from abreast.model.ledger import QUARTER, By, Cost, LedgerRow, Tally

NO_DAY = "no date"
NO_MODEL = "not named"
NO_RUN = "by hand"  # sessions that abreast did not start


@dataclass(frozen=True)
class Part:
    """What one transcript came to. `whole` is the session that it counts for, itself or a parent.

    `name` is what that session is called. `run` is empty for those that abreast did not start.
    """

    agent: str
    whole: str
    name: str
    tallies: Sequence[Tally]
    run: str = ""
    cwd: str = ""
    subagent: bool = False
    begun: float = 0.0
    gone: bool = False


def rows(
    parts: Sequence[Part],
    by: By,
    since: float = 0.0,
    stated: Mapping[str, float] | None = None,
    prices: Prices = NO_PRICES,
) -> tuple[list[LedgerRow], LedgerRow]:
    """Return a row for each day, session, run, agent or model, and the row of all of them.

    Only requests from `since` on count, to the quarter of an hour. `stated` is what a CLI said that
    a session has cost, by its `whole`, or by its name: for those of its parts of which nothing else
    is stated. It is divided among their requests as their price is. The rest is estimated by
    `prices`.
    """
    sums: defaultdict[str, _Sum] = defaultdict(_Sum)
    day_of = lru_cache(None)(_day)
    costs_of = _costs(parts, stated or {}, prices)
    for number, (part, costs) in enumerate(zip(parts, costs_of, strict=True)):
        for one, cost in zip(part.tallies, costs, strict=True):
            if one.quarter * QUARTER >= since:
                sums[_name(by, part, one, day_of)].add(number, part, one, cost)
    total = _Sum()
    for each in sums.values():
        total.merge(each)
    found = [one.row(name) for name, one in sums.items()]
    if by in {By.AGENT, By.MODEL}:
        found.sort(key=lambda row: (-row.input_tokens, row.name))
    else:
        found.sort(key=lambda row: (row.begun, row.name))
    return found, total.row("total")


class _Sum:
    """A row that grows."""

    def __init__(self) -> None:
        self.parts: set[int] = set()
        self.agents: set[str] = set()
        self.sessions: set[str] = set()
        self.subagents: set[int] = set()
        self.counts = [0] * 5
        self.costs: list[Cost] = []
        self.cwds: set[str] = set()
        self.begun = inf
        self.gone = False

    def add(self, number: int, part: Part, one: Tally, cost: Cost) -> None:
        if number not in self.parts:
            self.parts.add(number)
            self.agents.add(part.agent)
            self.sessions.add(part.name)
            if part.subagent:
                self.subagents.add(number)
            elif part.cwd:
                self.cwds.add(part.cwd)
            self.gone |= part.gone
        counts = self.counts
        counts[0] += one.requests
        counts[1] += one.prompt
        counts[2] += one.cached
        counts[3] += one.written
        counts[4] += one.output
        self.costs.append(cost)
        if one.quarter:
            self.begun = min(self.begun, max(part.begun, one.quarter * QUARTER))

    def merge(self, other: "_Sum") -> None:
        self.parts |= other.parts
        self.subagents |= other.subagents
        self.agents |= other.agents
        self.sessions |= other.sessions
        self.cwds |= other.cwds
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.costs += other.costs
        self.begun = min(self.begun, other.begun)
        self.gone |= other.gone

    def row(self, name: str) -> LedgerRow:
        requests, prompt, cached, written, output = self.counts
        return LedgerRow(
            name=name,
            agents=tuple(sorted(self.agents)),
            cwd=next(iter(self.cwds)) if len(self.cwds) == 1 else "",
            sessions=len(self.sessions),
            subagents=len(self.subagents),
            requests=requests,
            input_tokens=prompt,
            cached_tokens=cached,
            written_tokens=written,
            output_tokens=output,
            cost=_together(self.costs),
            begun=self.begun if self.begun < inf else 0.0,
            gone=self.gone,
        )


def _name(by: By, part: Part, one: Tally, day_of: Callable[[int], str]) -> str:
    match by:
        case By.DAY:
            return day_of(one.quarter)
        case By.SESSION:
            return part.name
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
    return time.strftime("%Y-%m-%d", time.localtime(quarter * QUARTER))


def _costs(parts: Sequence[Part], stated: Mapping[str, float], prices: Prices) -> list[list[Cost]]:
    """Return what the tallies of each part cost."""
    bills = [part.whole if part.whole in stated else part.name for part in parts]
    weights: defaultdict[str, float] = defaultdict(float)
    for part, bill in zip(parts, bills, strict=True):
        if bill in stated:
            weights[bill] += sum(_weight(one, prices) for one in part.tallies)
    return [
        [
            Cost(stated=stated[bill] * _weight(one, prices) / weights[bill])
            if weights.get(bill)
            else _cost(one, prices)
            for one in part.tallies
        ]
        for part, bill in zip(parts, bills, strict=True)
    ]


def _weight(one: Tally, prices: Prices) -> float:
    known = prices.cost(one.model, one.prompt, one.cached, one.written, one.output)
    # Of a model without a price: a cached token costs a tenth, one that is said five times as much.
    return known or (one.prompt - 0.9 * one.cached + 5 * one.output) / 1_000_000


def _cost(one: Tally, prices: Prices) -> Cost:
    if one.stated:
        return Cost(stated=one.cost, unpriced=one.requests - one.stated)
    known = prices.cost(one.model, one.prompt, one.cached, one.written, one.output)
    return Cost(estimated=known) if known is not None else Cost(unpriced=one.requests)


def _together(costs: Sequence[Cost]) -> Cost:
    stated = [one.stated for one in costs if one.stated is not None]
    estimated = [one.estimated for one in costs if one.estimated is not None]
    return Cost(
        fsum(stated) if stated else None,
        fsum(estimated) if estimated else None,
        sum(one.unpriced for one in costs),
    )
