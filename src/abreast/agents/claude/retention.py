"""For how long Claude Code keeps its transcripts."""

from collections.abc import Mapping

from abreast.agents.claude.transcript import config_folder
from abreast.agents.parts import Retention
from abreast.agents.values import at
from abreast.process.files import load_json

SETTING = "cleanupPeriodDays"
_DAYS = 30.0


def retention(environ: Mapping[str, str]) -> Retention:
    """Return the days, by the user's settings or else its default, and what to change."""
    file = config_folder(environ) / "settings.json"
    days = at(load_json(file), SETTING)
    if isinstance(days, bool) or not isinstance(days, int | float) or days <= 0:
        days = _DAYS
    return Retention(float(days), f'"{SETTING}": 3650 in {file}')
