"""Too much delegation: children that cost more than they keep out of their parent."""

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from abreast.doctor.examined import (
    ExaminedDelegation,
    ExaminedSession,
    compacted,
    count,
    named,
    requests,
)
from abreast.doctor.thresholds import (
    ALIKE,
    LOSS_TOKENS,
    MANY_CHILDREN,
    ONE_FILE_CHILDREN,
    SUMMARY_GROWTH,
    SUMMARY_SHARE,
)
from abreast.model.finding import Evidence

_WORDS = 200  # of a question
_PARTICULAR = re.compile(r"[/.\d_]")  # in a word that is this question's own


def many_children(session: ExaminedSession) -> Iterator[Evidence]:
    """A session with at least `MANY_CHILDREN` children."""
    number = len(session.delegations)
    if number < MANY_CHILDREN:
        return
    paid = _start_ups(session.delegations)
    yield session.evidence(
        f"{number} children; their start-ups alone: {count(paid)} tokens",
        at=_first(session.delegations),
        cost=paid,
        children=number,
        start_up=paid,
    )


def below_break_even(session: ExaminedSession) -> Iterator[Evidence]:
    """Children with a net below 0, which together lost at least `LOSS_TOKENS`."""
    nets = [(one, one.account.net) for one in session.delegations]
    losing = [(one, net) for one, net in nets if net is not None and net < 0]
    lost = -sum(net for _, net in losing)
    if not losing or lost < LOSS_TOKENS:
        return
    children = [one for one, _ in losing]
    paid = _start_ups(children)
    kept = sum(one.account.kept_out or 0 for one in children)
    summary = sum(one.account.summary or 0 for one in children)
    about = "about " if any(one.estimated for one in children) else ""
    yield session.evidence(
        f"{len(losing)} of {len(nets)} children lost {count(lost)} tokens: kept out {count(kept)}, "
        f"start-up {count(paid)}, summary {about}{count(summary)}",
        at=_first(children),
        cost=lost,
        children=len(nets),
        losing=len(losing),
        kept_out=kept,
        start_up=paid,
        summary=summary,
        net=-lost,
    )


def growth_by_summaries(session: ExaminedSession) -> Iterator[Evidence]:
    """Summaries of at least `SUMMARY_GROWTH` tokens that are `SUMMARY_SHARE` of the growth."""
    spent = requests(session.transcript.events)
    if len(session.delegations) < 2 or len(spent) < 2 or compacted(session.transcript.events):
        return
    grown = spent[-1].context - spent[0].input_tokens
    summaries = sum(one.returned for one in session.delegations)
    if summaries < SUMMARY_GROWTH or summaries < SUMMARY_SHARE * grown:
        return
    yield session.evidence(
        f"the context grew by {count(grown)} tokens, about {count(summaries)} of them summaries "
        f"of {len(session.delegations)} children",
        at=_first(session.delegations),
        cost=summaries,
        growth=grown,
        summaries=summaries,
        children=len(session.delegations),
    )


def child_per_file(session: ExaminedSession) -> Iterator[Evidence]:
    """`ONE_FILE_CHILDREN` or more children, asked alike, that each read one file of its own."""
    single = [one for one in session.delegations if len(one.read) == 1 and not one.wrote]
    for group in _alike(single):
        files = {name for one in group for name in one.read}
        if len(group) < ONE_FILE_CHILDREN or len(files) < len(group):
            continue
        paid = _start_ups(group)
        spare = paid - max(one.account.start_up or 0 for one in group)
        names = named(sorted(name.rpartition("/")[2] for name in files))
        yield session.evidence(
            f"{len(group)} children read one file each ({names}) "
            f"for the same question; start-ups {count(paid)} tokens",
            at=_first(group),
            cost=spare,
            children=len(group),
            files=len(files),
            start_up=paid,
        )


def _alike(delegations: Iterable[ExaminedDelegation]) -> list[list[ExaminedDelegation]]:
    """Return the delegations in groups of the same question, paths and numbers aside."""
    groups: list[tuple[list[str], list[ExaminedDelegation]]] = []
    for one in delegations:
        said = one.question.lower().split()[:_WORDS]
        words = ["…" if _PARTICULAR.search(word) else word for word in said]
        for first, group in groups:
            if words and SequenceMatcher(None, first, words, autojunk=False).ratio() >= ALIKE:
                group.append(one)
                break
        else:
            groups.append((words, [one]))
    return [group for _, group in groups]


def _start_ups(delegations: Iterable[ExaminedDelegation]) -> int:
    return sum(one.account.start_up or 0 for one in delegations)


def _first(delegations: Iterable[ExaminedDelegation]) -> float:
    return min((one.at for one in delegations if one.at), default=0.0)
