"""The rows of the ledger: requests of many sessions, grouped and priced.

Prices are estimates by the providers' public price lists; each agent has the list of its provider,
and nothing is fetched. A subscription, a discount, a long prompt or a cache that is kept for an
hour costs otherwise. A model that is in no list has no estimate.
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from math import fsum
from typing import NamedTuple

from abreast.model.economy import QUARTER, By, Cost, LedgerRow, Price, PriceList, Tally
from abreast.model.transcript import FAST

# A model by the day it was made, or before it was finished, costs what the model costs.
_VARIANT = re.compile(r"(?:[-@]20\d{2}-?\d{2}-?\d{2}|-latest|-preview)$")


class Prices:
    """The price lists of several providers. `date` is the oldest of theirs, "" without any."""

    def __init__(self, lists: Iterable[PriceList | None]) -> None:
        given = [one for one in lists if one is not None]
        self.date = min((one.date for one in given), default="")
        self._models = {name: price for one in given for name, price in one.models.items()}
        self._faster = {name: times for one in given for name, times in one.faster.items()}
        self.of = cache(self._of)

    def _of(self, model: str) -> Price | None:
        """Return the price of a model, None when it is not known; similar names do not count.

        A name that ends in `FAST` is that of a model in its fast mode.
        """
        plain = model.removesuffix(FAST)
        name = plain if plain in self._models else _VARIANT.sub("", plain)
        price, times = self._models.get(name), 1 if plain == model else self._faster.get(name)
        return Price(*(times * one for one in price)) if price and times else None

    def cost(self, model: str, prompt: int, cached: int, written: int, output: int) -> float | None:
        """Return what requests cost in US dollars; `cached` and `written` are parts of `prompt`."""
        price = self.of(model)
        if price is None:
            return None
        plain = max(0, prompt - cached - written)
        whole = plain * price.prompt + cached * price.cached + written * price.written
        return (whole + output * price.output) / 1_000_000

    def at_most(self, model: str, prompt: int, cached: int, output: int) -> float:
        """Return what requests cost in US dollars, of a model without a price as of the dearest."""
        known = [self.cost(model, prompt, cached, 0, output)] if self.of(model) else []
        every = known or [self.cost(one, prompt, cached, 0, output) for one in self._models]
        return max((one for one in every if one is not None), default=0.0)


NO_PRICES = Prices(())


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
    groups: defaultdict[str, list[_Entry]] = defaultdict(list)
    day_of = lru_cache(None)(_day)
    costs_of = _costs(parts, stated or {}, prices)
    for number, (part, costs) in enumerate(zip(parts, costs_of, strict=True)):
        for one, cost in zip(part.tallies, costs, strict=True):
            if one.quarter * QUARTER >= since:
                groups[_name(by, part, one, day_of)].append(_Entry(number, part, one, cost))
    found = [_row(name, entries) for name, entries in groups.items()]
    if by in {By.AGENT, By.MODEL}:
        found.sort(key=lambda row: (-row.input_tokens, row.name))
    else:
        found.sort(key=lambda row: (row.begun, row.name))
    return found, _row("total", [*chain.from_iterable(groups.values())])


class _Entry(NamedTuple):
    """One tally of the part with this number, and what it cost."""

    number: int
    part: Part
    tally: Tally
    cost: Cost


def _row(name: str, entries: Sequence[_Entry]) -> LedgerRow:
    parts = {one.number: one.part for one in entries}.values()
    tallies = [one.tally for one in entries]
    cwds = {one.cwd for one in parts if one.cwd and not one.subagent}
    dated = (one for one in entries if one.tally.quarter)
    return LedgerRow(
        name=name,
        agents=tuple(sorted({one.agent for one in parts})),
        cwd=next(iter(cwds)) if len(cwds) == 1 else "",
        sessions=len({one.name for one in parts}),
        subagents=sum(one.subagent for one in parts),
        requests=sum(one.requests for one in tallies),
        input_tokens=sum(one.prompt for one in tallies),
        cached_tokens=sum(one.cached for one in tallies),
        written_tokens=sum(one.written for one in tallies),
        output_tokens=sum(one.output for one in tallies),
        cost=_together([one.cost for one in entries]),
        begun=min((max(e.part.begun, e.tally.quarter * QUARTER) for e in dated), default=0.0),
        gone=any(one.gone for one in parts),
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
    """Return the day in the machine's time zone."""
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
