"""Adds up and prices requests, and compares them with what they kept out of a parent."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import add

from abreast.model.economy import QUARTER, Delegation, Tally
from abreast.model.transcript import FAST, Spent


def tally(requests: Iterable[Spent]) -> list[Tally]:
    """Return the sums of requests by quarter of an hour and model, oldest first.

    A request without a time stands in quarter 0. Each must be given once.
    """
    sums: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * 6)
    costs: defaultdict[tuple[int, str], float] = defaultdict(float)
    for one in requests:
        key = int(one.at // QUARTER), one.model
        found = sums[key]
        found[0] += 1
        found[1] += one.input_tokens
        found[2] += one.cached_tokens
        found[3] += one.output_tokens
        found[4] += one.written_tokens
        if one.cost_usd is not None:
            costs[key] += one.cost_usd
            found[5] += 1
    return [
        Tally(*key, count, prompt, cached, output, written, costs[key], stated)
        for key, (count, prompt, cached, output, written, stated) in sorted(sums.items())
    ]


def merged(tallies: Iterable[Tally]) -> list[Tally]:
    """Return the sums of tallies by quarter of an hour and model, oldest first."""
    sums: dict[tuple[int, str], Tally] = {}
    for one in tallies:
        key = one.quarter, one.model
        before = sums.get(key)
        sums[key] = one if before is None else Tally(*key, *map(add, before[2:], one[2:]))
    return [sums[key] for key in sorted(sums)]


def unrecorded(
    counted: Mapping[str, Sequence[int]], recorded: Iterable[Tally]
) -> list[Tally] | None:
    """Return what a CLI has counted and not recorded, such as a summary that it asked for itself.

    `counted` has the tokens by model, in whatever mode: of prompts, those cached and written, and
    of output. Each model's is one request, in the quarter of an hour of the last one. None: there
    is more on record than was counted, so that the count is of an earlier moment.
    """
    sums = {model: [0] * 4 for model in counted}
    last = 0
    for one in recorded:
        last = max(last, one.quarter)
        found = sums.setdefault(one.model.removesuffix(FAST), [0] * 4)
        own = (one.prompt, one.cached, one.written, one.output)
        found[:] = [a + b for a, b in zip(found, own, strict=True)]
    more = []
    for model, known in sums.items():
        missing = [a - b for a, b in zip(counted.get(model, (0,) * 4), known, strict=True)]
        if min(missing) < 0:
            return None
        if any(missing):
            prompt, cached, written, output = missing
            more.append(Tally(last, model, 1, prompt, cached, output, written))
    return more


def account(child: Sequence[Spent], name: str, parent: str, agent: str) -> Delegation | None:
    """Return the account of a child by its own requests, in order; None without any."""
    said = [one for one in child if not one.aside]
    if not said:
        return None
    return Delegation(
        child=name,
        parent=parent,
        agent=agent,
        at=said[-1].at,
        start_up=said[0].input_tokens,
        kept_out=kept_out(said),
        child_total=sum(one.context for one in child),
        summary=None,
    )


def kept_out(said: Sequence[Spent]) -> int:
    """Return by how much a child's context grew: what it has read and written, its parent has not.

    `said` are the requests of its conversation, in their order. A prompt that is smaller than the
    one before tells of a history that was cut down, such as by a compaction. What it held before
    counts as well: then every growth does.
    """
    start = context = said[0].input_tokens
    if all(before.input_tokens <= after.input_tokens for before, after in pairwise(said)):
        return max(0, said[-1].context - start)
    grown = 0
    for one in said:
        grown += max(0, one.context - context)
        context = one.context
    return grown


def returned_to(children: Sequence[Delegation], parent: Iterable[Spent]) -> list[Delegation]:
    """Return the children of one parent with `summary`: by how much its next request grew.

    Those that came back between the same two requests share the growth. It stays unknown for one
    after which the parent asked nothing, and where the parent's history was cut down meanwhile.
    """
    requests = sorted((one for one in parent if not one.aside), key=lambda one: one.at)
    times = [one.at for one in requests]
    places = [bisect_right(times, one.at) for one in children]
    found = []
    for one, place in zip(children, places, strict=True):
        shared = places.count(place)
        summary = None
        if 0 < place < len(requests):
            summary = _growth(requests[place - 1], requests[place], shared)
        found.append(replace(one, summary=summary, shared=shared))
    return found


def wall_time(times: Iterable[tuple[float, float]]) -> float:
    """Return for how many seconds at least one of these was at work; pauses do not count."""
    wall = last = 0.0
    for begun, ended in sorted(times):
        wall += max(0.0, ended - max(begun, last))
        last = max(last, ended)
    return wall


def _growth(before: Spent, after: Spent, shared: int) -> int | None:
    if after.input_tokens < before.input_tokens:
        return None
    # What a model thought may be in its output, and not in the next prompt.
    return max(0, after.input_tokens - before.context) // shared
