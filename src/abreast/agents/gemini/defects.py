"""Versions of Gemini CLI that are known to misbehave."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from abreast.agents.gemini.retention import retention
from abreast.model.defect import Defect


def _deletes_nothing(environ: Mapping[str, str], _checkouts: Sequence[Path]) -> bool:
    try:
        return retention(environ) is None
    except OSError:  # settings that may not be read are in a folder that may not be read either
        return True


DEFECTS = (
    Defect(
        since="0.61.0",
        until="0.61.1",
        what="a session that was resumed is deleted by the next start in that folder, by its own "
        "retention; set general.sessionRetention.enabled to false",
        source="tested with 0.61.0 on 2026-11-22; google-gemini/gemini-cli#27368",
        unless="retention off",
        harmless=_deletes_nothing,
    ),
)
