"""What a check is, and how what it saw becomes a finding."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from abreast.model.finding import Evidence, Finding, Severity


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
