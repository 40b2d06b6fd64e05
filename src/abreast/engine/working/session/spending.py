"""What an attempt, and all attempts of its session together, have used.

It is the ledger's reading of the CLI's own record, which has every request of every process, also
of one that was killed. What a process has stated itself counts where that is more (some CLIs record
not all they ask) or where there is no record.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

from abreast.agents import agent_named
from abreast.economics.ledger import kept_out
from abreast.economics.rows import Prices
from abreast.engine.common.layout import ROUNDS
from abreast.engine.reading.ledger.session import SessionUsage, read_session
from abreast.engine.working.session.context import SessionContext
from abreast.model.budget import Consumption
from abreast.model.economy import Account
from abreast.model.limits import Limits
from abreast.model.transcript import Spent
from abreast.model.usage import Usage
from abreast.runner.job import Result, load_result
from abreast.store.spent import total

Parts = Mapping[str, Usage]  # by model


@dataclass(frozen=True)
class BudgetLeft:
    """The limits for what a session does beyond its task, and what of them is used up, in words."""

    limits: Limits
    used_up: str = ""


def left_of(context: SessionContext) -> BudgetLeft:
    """Return what all earlier attempts have left of a session's limits, but that of idling.

    A limit of which nothing is left is the smallest there is: 0 would be no bound.
    """
    limits, current = context.task.limits, context.session.attempt
    parts = context.engine.reader.usage(context.session.id)
    used = _sum(one.usage for one in parts if not one.model)
    below = total(context.engine.reader.spent_by_children(context.session.id, 0.0))
    layouts = [replace(context.layout, attempt=n) for n in range(1, current + 1)]
    worked = [found for one in layouts if (found := load_result(one.job("agent"))) is not None]
    left, gone = limits, []
    for name, spent, least, noun in (
        ("minutes", sum(one.seconds for one in worked) / 60, 0.01, "its minutes"),
        ("turns", sum(one.verdict.turns or one.progress.turns for one in worked), 1, "its turns"),
        ("tokens", _tokens(used) + below.tokens, 1, "its tokens"),
        ("usd", (used.cost_usd or 0.0) + below.usd - below.listed, 0.0001, "its dollars"),
    ):
        if bound := getattr(limits, name):
            left = replace(left, **{name: max(bound - spent, least)})
            gone += [noun] if bound <= spent else []
    return BudgetLeft(left, " and ".join(gone))


@dataclass(frozen=True)
class Bill:
    """What an attempt has used, in total and of each model, and `total`: its whole session.

    `start_up` is the prompt of the first request in the CLI's session, whichever attempt made it,
    `kept_out` what was read and written after it. None: it is not known.
    """

    usage: Usage
    by_model: Parts
    total: Usage
    start_up: int | None
    kept_out: int | None
    turns: int = 0  # of the attempt

    def write(self, context: SessionContext) -> None:
        """Put the usage of the attempt into the store."""
        name, attempt, store = context.session.id, context.layout.attempt, context.engine.store
        store.set_usage(name, attempt, self.usage, self.by_model)
        parts = {model: part for model, part in self.by_model.items() if model}
        parts = parts or {context.session.model: self.usage}
        spent = spent_of(context.session.agent, self.turns, self.usage, parts)
        store.set_spending(name, attempt, spent)

    def account(self, summary: int) -> Account:
        """Return the account of a delegation of whose answer the parent reads `summary` tokens."""
        billed = [n for n in (self.total.input_tokens, self.total.output_tokens) if n is not None]
        return Account(self.start_up, sum(billed) if billed else None, self.kept_out, summary)


def bill_of(
    context: SessionContext,
    results: Sequence[Result],
    cli_session: str = "",
    environ: Mapping[str, str] | None = None,
) -> Bill:
    """Return the bill of an attempt whose processes have ended so, the first one first.

    `cli_session` is the one that they were in; without it, the newest that is known. `environ` is
    the CLI's, by default that of the run.
    """
    reader, name = context.engine.reader, context.session.id
    known_as = [*dict.fromkeys([*reader.cli_sessions(name), *filter(None, [cli_session])])]
    recorded = _recorded(context, known_as, context.environment() if environ is None else environ)
    usage, by_model = stated_by(results)
    earlier = [part for part in reader.usage(name) if part.attempt < context.layout.attempt]
    before = _sum(part.usage for part in earlier if not part.model)
    if recorded is not None:
        rest = recorded.total.beyond(before)
        if _tokens(rest) >= _tokens(usage):
            cost, stated = usage.cost_usd, by_model
            usage = replace(rest, cost_usd=cost)
            by_model = {}
            for model, part in recorded.by_model.items():
                own = part.beyond(_sum(one.usage for one in earlier if one.model == model))
                if _tokens(own):
                    told = stated.get(model, Usage())
                    by_model[model] = replace(own, cost_usd=told.cost_usd)
    requests = recorded.own.get(known_as[-1], []) if recorded is not None else []
    all_of_it = [*_earlier(context, known_as[-1] if known_as else ""), *results]
    turns = sum(one.verdict.turns or one.progress.turns for one in results)
    return Bill(usage, by_model, before + usage, *ends_of(requests, all_of_it), turns)


def spent_of(agent: str, turns: int, usage: Usage, by_model: Parts) -> Consumption:
    """Return what an attempt has used as budgets count it.

    What no CLI has stated comes from the price list of the agent's provider: a model that is not in
    it counts as the dearest.
    """
    tokens, stated = _tokens(usage), usage.cost_usd
    if stated is not None or agent_named(agent).capabilities.cost:
        return Consumption(0.0, turns, tokens, stated or 0.0)
    prices = Prices([agent_named(agent).prices])
    listed = sum(
        prices.at_most(model, one.input_tokens or 0, one.cached_tokens or 0, one.output_tokens or 0)
        for model, one in by_model.items()
    )
    return Consumption(0.0, turns, tokens, listed, listed)


def settle(context: SessionContext, environ: Mapping[str, str]) -> None:
    """Record what an attempt has used by now; a person may have continued it since it ended."""
    found = [load_result(context.layout.job(name)) for name in ROUNDS]
    bill = bill_of(context, [one for one in found if one is not None], environ=environ)
    bill.write(context)


def stated_by(results: Iterable[Result]) -> tuple[Usage, Parts]:
    """Return what processes have stated that they used, in total and of each model."""
    usage, by_model = Usage(), dict[str, Usage]()
    for one in results:
        verdict = one.verdict
        usage += verdict.usage if verdict.usage != Usage() else one.progress.usage
        for model, part in verdict.usage_by_model.items():
            by_model[model] = by_model.get(model, Usage()) + part
    return usage, by_model


def _recorded(
    context: SessionContext, known_as: Sequence[str], environ: Mapping[str, str]
) -> SessionUsage | None:
    try:
        return read_session(context.session, known_as, context.engine.places, environ)
    except Exception as failure:  # noqa: BLE001 - no record may change how a session ends
        text = f"what its CLI has recorded cannot be counted: {failure!r}"
        context.add_event("warning", text)
        return None


def ends_of(requests: Sequence[Spent], results: Sequence[Result]) -> tuple[int | None, int | None]:
    """Return the start-up of a CLI's session, and what it kept out of a parent.

    `requests` are those on record, `results` of the processes that were in it, which count where
    there is no record.
    """
    if said := [one for one in requests if not one.aside]:
        return said[0].input_tokens, kept_out(said)
    contexts = [r.verdict.context for r in results if r.verdict.context is not None]
    first = results[0].verdict.start_up if results else None
    if first is None or not contexts:
        return first, None
    # As if each process had made one request, its last.
    return first, kept_out([Spent(0.0, "", "", size, 0, 0) for size in (first, *contexts)])


def _earlier(context: SessionContext, cli_session: str) -> list[Result]:
    """Return how the processes of earlier attempts in the same CLI session have ended."""
    layouts = [replace(context.layout, attempt=n) for n in range(1, context.layout.attempt)]
    found = [load_result(one.job(name)) for one in layouts for name in ROUNDS]
    of_it = (one for one in found if one and cli_session)
    return [r for r in of_it if cli_session in {r.verdict.cli_session, r.progress.cli_session}]


def _sum(parts: Iterable[Usage]) -> Usage:
    return reduce(add, parts, Usage())


def _tokens(usage: Usage) -> int:
    return (usage.input_tokens or 0) + (usage.output_tokens or 0)
