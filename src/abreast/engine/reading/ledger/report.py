"""The ledger: what every session of this user has used, abreast's own and those begun by hand."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import fsum

from abreast.agents import AGENTS, records_of
from abreast.economics.ledger import account, returned_to, unrecorded, wall_time
from abreast.economics.rows import Part, Prices, rows
from abreast.engine.reading.ledger.index import Index, refresh
from abreast.errors import AbreastError
from abreast.model.economy import QUARTER, By, Delegation, Ledger, Parallel, Tally
from abreast.model.session import Session
from abreast.model.text import counted
from abreast.places import Places
from abreast.process import clock
from abreast.store.transcripts import (
    Indexed,
    Known,
    count_notes,
    load_delivered,
    load_known,
)

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_GENERATIONS = 8
_Name = tuple[str, str]  # an agent, and a session as its CLI names it


def ledger(
    places: Places, environ: Mapping[str, str], *, since: str | float = "", by: By = By.DAY
) -> Ledger:
    """Return the ledger, the index of transcripts brought up to date first; see `api.ledger`."""
    start = moment(since)
    index = refresh(places, environ)
    known = load_known(places.database)
    sessions = [one.session for one in known]
    parts = [*_parts(index, known)]
    costs = _complete(index, parts)
    index.unrecorded += len(more := [*_beyond(sessions, parts)])
    parts += more
    stated = _stated(costs, sessions, parts)
    prices = Prices(agent.prices for agent in AGENTS.values())
    found, total = rows(parts, by, start, stated, prices)
    delegations = [*_vendors(index, start, known), *load_delivered(places.database, start)]
    return Ledger(
        by=by,
        since=start,
        rows=tuple(found),
        total=total,
        delegations=tuple(sorted(delegations, key=lambda one: one.at)),
        runs=tuple(_parallel(known, parts, start)),
        notes=tuple(_notes(index)),
        prices=prices.date,
        read=index.read,
        told=count_notes(places.database, start),
    )


def moment(since: str | float, now: float | None = None) -> float:
    """Return a moment in Unix seconds: `7d` and `2w` begin with a day, today the last of them.

    `12h` is so long ago. A date begins with its midnight on this machine's clock. Raises
    AbreastError for anything else.
    """
    if not isinstance(since, str):
        return float(since)
    if not since:
        return 0.0
    now = clock.wall() if now is None else now
    today = datetime.fromtimestamp(now).astimezone().date()
    span = _SPAN.fullmatch(since)
    try:
        if span and span[2] == "h":
            return max(0.0, now - int(span[1]) * 3600)
        if span:
            days = int(span[1]) * (7 if span[2] == "w" else 1)
            day = today - timedelta(days=max(0, days - 1))
        else:
            day = date.fromisoformat(since)
        return datetime(day.year, day.month, day.day).astimezone().timestamp()
    except (ValueError, OverflowError) as error:
        raise AbreastError(
            f"`{since}` is not a time or a span", hint="such as 12h, 7d, 2w or 2026-11-01"
        ) from error


def _parts(index: Index, known: Iterable[Known]) -> Iterable[Part]:
    """Yield what every transcript came to, and what sessions without one have stated."""
    ours = {name: one.session for one in known for name in one.cli_sessions}
    parents = {(f.agent, f.session): f.parent for f in index.files.values() if f.parent}
    there = index.there
    seen: set[str] = set()
    for one in index.files.values():
        whole = _whole(one, parents)
        own = ours.get(whole)
        if own is not None:
            seen.add(own.id)
        yield Part(
            agent=one.agent,
            whole=whole,
            name=own.id if own else whole,
            tallies=one.tallies,
            run=own.run if own else "",
            cwd=one.cwd,
            subagent=bool(one.parent),
            begun=one.begun,
            gone=one.gone is not None and (one.agent, one.session) not in there,
        )
    for session in (one.session for one in known):
        if session.id not in seen and session.usage.input_tokens is not None:
            tallies = [_tally(session)]
            yield Part(session.agent, session.id, session.id, tallies, session.run)


def _complete(index: Index, parts: list[Part]) -> dict[str, float]:
    """Add what a CLI has counted itself and not recorded; return what it said sessions cost."""
    families: defaultdict[_Name, list[Part]] = defaultdict(list)
    for part in parts:
        families[part.agent, part.whole].append(part)
    costs = {}
    for one in index.files.values():
        # What a fork counts includes what it was taken from.
        if "counted" not in one.state or one.parent or one.forked_from:
            continue
        told = one.load_state().get("spending") or {}
        if "counted" not in told:
            continue
        family = families.get((one.agent, one.session))
        if not family:  # a subagent's file claims this one's name
            continue
        more = unrecorded(told["counted"], [t for part in family for t in part.tallies])
        if more is None:
            continue
        if more:
            index.unrecorded += 1
            parts.append(replace(family[0], tallies=more, subagent=False))
        if told.get("cost") is not None:
            costs[one.session] = float(told["cost"])
    return costs


def _beyond(sessions: Iterable[Session], parts: Sequence[Part]) -> Iterable[Part]:
    """Yield what abreast's own sessions have stated and no transcript has: each as one request.

    Such is what Gemini CLI asks aside. What a person has asked since makes up for it here, until
    that is in the account as well.
    """
    families: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        families[part.name].append(part)
    for one in sessions:
        family = [part for part in families.get(one.id, ()) if part.whole != one.id]
        tallies = [each for part in family for each in part.tallies]
        prompt = (one.usage.input_tokens or 0) - sum(each.prompt for each in tallies)
        output = (one.usage.output_tokens or 0) - sum(each.output for each in tallies)
        if tallies and prompt + output > 0 and prompt >= 0 and output >= 0:
            cached = (one.usage.cached_tokens or 0) - sum(each.cached for each in tallies)
            last = max(each.quarter for each in tallies)
            more = Tally(last, one.model, 1, prompt, min(max(0, cached), prompt), output, 0)
            yield replace(family[0], tallies=[more], subagent=False)


def _stated(
    costs: dict[str, float], sessions: Iterable[Session], parts: Iterable[Part]
) -> dict[str, float]:
    """Add to what transcripts state what the streams of abreast's own sessions did.

    A stream knows nothing of what a person has asked in the session since, a transcript nothing of
    its cost when the CLI was killed: what is stated of a part of a session stands for that part.
    """
    wholes: defaultdict[str, set[str]] = defaultdict(set)
    for part in parts:
        wholes[part.name].add(part.whole)
    found = dict(costs)
    for one in sessions:
        told = [costs[whole] for whole in wholes[one.id] if whole in costs]
        cost = one.usage.cost_usd
        if cost is None or cost <= fsum(told):
            continue
        if len(told) == len(wholes[one.id]):
            found = {k: v for k, v in found.items() if k not in wholes[one.id]}
            told = []
        found[one.id] = cost - fsum(told)
    return found


def _whole(one: Indexed, parents: Mapping[_Name, str]) -> str:
    """Return the session that a subagent works for in the end; a session itself is its own."""
    session = one.session
    for _ in range(_GENERATIONS):
        above = parents.get((one.agent, session))
        if above is None:
            break
        session = above
    return session


def _tally(one: Session) -> Tally:
    quarter = int((one.ended or one.started or 0.0) // QUARTER)
    used = one.usage
    counts = (used.input_tokens or 0, used.cached_tokens or 0, used.output_tokens or 0)
    return Tally(quarter, one.model, one.turns, *counts, 0)


def _vendors(index: Index, since: float, known: Iterable[Known]) -> Iterable[Delegation]:
    """Yield what the CLIs' own subagents cost and saved."""
    children: defaultdict[_Name, list[Indexed]] = defaultdict(list)
    for one in index.files.values():
        late = one.tallies and (one.tallies[-1].quarter + 1) * QUARTER > since
        if one.parent and late and not one.session.startswith(records_of(one.agent).ASIDES):
            children[one.agent, one.parent].append(one)
    parents: defaultdict[_Name, list[Indexed]] = defaultdict(list)
    for one in index.files.values():
        if (one.agent, one.session) in children:
            parents[one.agent, one.session].append(one)
    needed = [*children.values(), *parents.values()]
    index.load(one.path for group in needed for one in group)
    ours = {name: one.session.id for one in known for name in one.cli_sessions}
    for name, group in children.items():
        accounts = [
            account([*index.requests(one.path).values()], one.session, name[1], one.agent)
            for one in group
        ]
        asked = [s for one in parents[name] for s in index.requests(one.path).values()]
        for found in returned_to([one for one in accounts if one is not None], asked):
            if found.at >= since:
                yield replace(found, parent=ours.get(name[1], found.parent))


def _parallel(known: Iterable[Known], parts: Iterable[Part], since: float) -> Iterable[Parallel]:
    """Yield the runs of several sessions that have ended."""
    runs: defaultdict[str, list[Known]] = defaultdict(list)
    for one in known:
        runs[one.session.run].append(one)
    prompt, output = Counter[str](), Counter[str]()
    for part in (one for one in parts if one.run):
        prompt[part.run] += sum(one.prompt for one in part.tallies)
        output[part.run] += sum(one.output for one in part.tallies)
    for run, sessions in runs.items():
        times = [one.span for one in sessions if one.span]
        over = sessions[0].run_state.final and len(times) == len(sessions)
        begun = min(one.session.started or 0.0 for one in sessions)
        if len(times) < 2 or not over or begun < since:
            continue
        work = sum(end - start for start, end in times)
        yield Parallel(run, len(times), wall_time(times), work, prompt[run], output[run])


def _notes(index: Index) -> Iterable[str]:
    """Yield what may be wrong with the totals, or is not what it seems."""
    yield from index.notes
    told = Counter(text for one in index.files.values() for text in dict.fromkeys(one.warnings))
    for text, count in told.most_common():
        yield f"{counted(count, 'transcript')}: {text}"
    if index.unrecorded:
        yield (
            f"{counted(index.unrecorded, 'transcript')}: the CLI counted more than it recorded, "
            "such as the summary of a compaction; that is in the totals as one request"
        )
    yield from _copied(index)
    there = index.there
    lost = (one for one in index.files.values() if one.gone is not None and one.tallies)
    if gone := sum((one.agent, one.session) not in there for one in lost):
        transcripts = counted(gone, "transcript")
        yield f"{transcripts} no longer there: what was read of them before still counts"


def _copied(index: Index) -> Iterable[str]:
    """Yield a note on what forks repeat of sessions that never had a transcript here."""
    known = {(one.agent, one.session) for one in index.files.values()}
    count, lost = 0, dict[str, int]()
    for one in index.files.values():
        told = (one.load_state().get("spending") or {}) if '"copied"' in one.state else {}
        if told and (one.agent, told["origin"]) not in known:
            count += 1
            lost[told["origin"]] = max(lost.get(told["origin"], 0), told["copied"])
    if count:
        yield (
            f"{counted(count, 'transcript')}: a fork repeats what another session has used, of "
            f"which there is no transcript; on which days is not known, so its "
            f"{sum(lost.values())} tokens are left out"
        )
