"""What a check is, which check looks at what, and how what it saw becomes a finding."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from abreast.doctor import (
    context,
    over_delegation,
    side_by_side,
    under_delegation,
)
from abreast.doctor.examined import ExaminedSession, Work
from abreast.model.finding import Evidence, Finding, Severity
from abreast.model.session import Session


@dataclass(frozen=True)
class Check:
    """A failure mode. `looks_for` says when exactly it is there; `thresholds` names its constants
    in `abreast.doctor.thresholds`.
    """

    id: str
    severity: Severity
    title: str
    looks_for: str
    why: str
    fix: str
    thresholds: tuple[str, ...] = ()


def findings_of(
    checks: Mapping[str, Check], seen: Mapping[str, Sequence[Evidence]]
) -> tuple[Finding, ...]:
    """Return a finding for each check that saw something, most costly first.

    Those whose cost is not known come after those whose is, the worse ones first.
    """
    found = [_finding(checks[name], evidence) for name, evidence in seen.items() if evidence]
    return tuple(sorted(found, key=_order))


def _order(found: Finding) -> tuple[bool, int, int, str]:
    severe = found.severity is Severity.SEVERE  # work in danger has no price in tokens
    cost = found.cost_tokens or 0
    return not severe, -cost, -found.severity.rank, found.id


def _finding(check: Check, evidence: Iterable[Evidence]) -> Finding:
    ordered = sorted(evidence, key=lambda one: (-(one.tokens or 0), one.at, one.text))
    known = [one.tokens for one in ordered if one.tokens is not None]
    return Finding(
        id=check.id,
        severity=check.severity,
        title=check.title,
        evidence=tuple(ordered),
        why=check.why,
        fix=check.fix,
        cost_tokens=sum(known) if known else None,
    )


Seen = Iterator[tuple[str, Evidence]]
T = TypeVar("T")

OF_A_SESSION: dict[str, Callable[[ExaminedSession], Iterable[Evidence]]] = {
    "many-children": over_delegation.many_children,
    "below-break-even": over_delegation.below_break_even,
    "growth-by-summaries": over_delegation.growth_by_summaries,
    "child-per-file": over_delegation.child_per_file,
    "read-alone": under_delegation.read_alone,
    "long-summary": under_delegation.long_summary,
    "no-shape": under_delegation.no_shape,
    "summary-again": under_delegation.summary_again,
    "read-again": under_delegation.read_again,
    "past-fill": context.past_fill,
    "corrections": context.corrections,
    "heavy-briefing": context.heavy_briefing,
}

OF_SESSIONS: dict[str, Callable[[Sequence[Work]], Iterable[Evidence]]] = {
    "same-files": side_by_side.same_files,
    "invalidated": side_by_side.invalidated,
}

OF_LANDINGS: dict[str, Callable[[Sequence[Session]], Iterable[Evidence]]] = {
    "merge-conflict": side_by_side.merge_conflicts,
    "bounced-landing": side_by_side.bounced_landings,
}


def examine(checks: Mapping[str, Callable[[T], Iterable[Evidence]]], what: T) -> Seen:
    """Yield what checks see in what they look at, each with the id of its check."""
    return ((name, one) for name, look in checks.items() for one in look(what))
