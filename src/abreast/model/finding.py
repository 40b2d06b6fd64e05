"""What `abreast doctor` finds: a failure mode, the evidence for it, why it hurts and the fix."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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
