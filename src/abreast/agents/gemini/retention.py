"""For how long Gemini CLI keeps its transcripts."""

import re
from collections.abc import Mapping

from abreast.agents.gemini.folder import user_folder
from abreast.agents.gemini.home import user_settings
from abreast.agents.parts import Retention
from abreast.agents.values import at, mapping

_AGE = re.compile(r"(\d{1,6})([hdwm])")
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0}
_DEFAULT = "30d"


def retention(environ: Mapping[str, str]) -> Retention | None:
    """Return the days by the user's settings or its default; None when it deletes nothing."""
    change = f'"general": {{"sessionRetention": {{"enabled": false}}}} in {user_folder(environ)}'
    stated = mapping(at(user_settings(environ), "general", "sessionRetention"))
    if stated.get("enabled") is False:
        return None
    age = _AGE.fullmatch(str(stated.get("maxAge", _DEFAULT)))
    if age is None:  # as the CLI does with what it does not understand
        return None
    return Retention(int(age[1]) * _DAYS[age[2]], f"{change}/settings.json")
