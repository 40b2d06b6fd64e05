"""What is wrong: a finding of `abreast doctor` with its evidence, a defect of an agent CLI."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad a finding is; they compare by `rank`."""

    INFO = "info"  # worth knowing; nothing is lost yet
    WARNING = "warning"  # it costs tokens, quality or work
    SEVERE = "severe"  # work can be lost, or is being done wrong right now

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True)
class Evidence:
    """One place where it was seen, with the numbers that make it a finding.

    `session` is the CLI's id of it, or abreast's `run/task`; `at` are Unix seconds, 0.0 when there
    is no moment to name. `path` is the transcript, worktree or file, `line` the one of the
    transcript on which it begins, 0 where that is not known. `tokens` is what this one cost, None
    where that is not known; `numbers` holds what `text` says, by name. `command` mends it.
    """

    text: str
    agent: str = ""
    session: str = ""
    at: float = 0.0
    path: str = ""
    line: int = 0
    tokens: int | None = None
    command: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One diagnosed failure mode, with everything seen of it, most costly first.

    `cost_tokens` adds up what is known of the evidence's tokens, each counted once however often
    it was sent again; None: not known.
    """

    id: str
    severity: Severity
    title: str
    evidence: tuple[Evidence, ...]
    why: str
    fix: str
    cost_tokens: int | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All findings, most costly first, and what was looked at to find them.

    `since` is the Unix time from which transcripts were read. `warnings` tell what could not be
    read, and where a figure may be wrong.
    """

    findings: tuple[Finding, ...]
    since: float
    sessions: int = 0
    children: int = 0
    runs: int = 0
    repositories: int = 0
    warnings: tuple[str, ...] = ()

    def at_least(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings that are at least this bad."""
        return tuple(one for one in self.findings if one.severity.rank >= severity.rank)


_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True)
class Defect:
    """What is wrong with an agent's versions from `since` to before `until`; "" is no bound.

    `source` says where that is known from and when it was looked at, `command` what mends it.
    `unless` names a state of the machine in which it does no harm; `harmless`, given the user's
    environment and their checkouts, returns whether this machine is in it.
    """

    since: str
    until: str
    what: str
    source: str
    command: str = ""
    unless: str = ""
    harmless: Callable[[Mapping[str, str], Sequence[Path]], bool] | None = None

    def affects(self, version: str) -> bool:
        """Return whether this version has the defect; one without numbers has none."""
        number = numbers_of(version)
        before = not self.until or number < numbers_of(self.until)
        return bool(number) and numbers_of(self.since) <= number and before


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, without what marks it as preliminary."""
    return tuple(int(part) for part in _NUMBERS.findall(version.partition("-")[0])[:4])
