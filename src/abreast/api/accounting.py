"""What sessions have used: the ledger."""

import os
from collections.abc import Mapping

from abreast.engine.reading.ledger import report
from abreast.model.economy import By, Ledger
from abreast.places import Places, find_places


def ledger(
    *,
    since: str | float = "",
    by: By | str = By.DAY,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Ledger:
    """Return what sessions have used, and what delegation and parallel work cost and saved.

    It covers every transcript of Claude Code, Codex and Gemini CLI on this machine, whoever began
    the session; nothing is fetched. `since` is a date, a span of days that ends today (`7d`), or
    Unix seconds. Raises AbreastError for any other, StoreError when the database does not answer.
    """
    env = os.environ if environ is None else environ
    return report.ledger(places or find_places(), env, since=since, by=By(by))
