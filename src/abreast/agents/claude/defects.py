"""Versions of Claude Code that are known to misbehave."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from abreast.model.defect import Defect

READS_AGENTS_MD = "2.1.277"
"""The first version that reads AGENTS.md where there is no CLAUDE.md."""


def _briefed(_environ: Mapping[str, str], checkouts: Sequence[Path]) -> bool:
    """Return whether no checkout has a briefing that only later versions read."""
    for top in checkouts:
        own = (top / "CLAUDE.md", top / ".claude" / "CLAUDE.md")
        if (top / "AGENTS.md").is_file() and not any(one.is_file() for one in own):
            return False
    return True


DEFECTS = (
    Defect(
        since="",
        until=READS_AGENTS_MD,
        what="AGENTS.md is not read: a project without CLAUDE.md has no briefing",
        source="tested with 2.1.197 (not read) and 2.1.330 (read) on 2026-11-22",
        command="claude update",
        unless="no AGENTS.md without a CLAUDE.md",
        harmless=_briefed,
    ),
)
