"""The doctor: problems in how work was split, and leftovers."""

import os
from collections.abc import Mapping
from pathlib import Path

from abreast.engine.reading.doctor import diagnosis
from abreast.model.finding import Diagnosis
from abreast.places import Places, find_places
from abreast.process import clock

_WEEK = 7 * 86_400.0


def doctor(
    *,
    since: float | None = None,
    repo: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Diagnosis:
    """Diagnose how work was split, and what it left behind; reads only, and changes nothing.

    Looks at the transcripts that were written since then (Unix seconds; by default seven days
    ago), at abreast's runs, and at the repositories of both and around `repo`, by default the
    current folder.
    """
    begin = clock.wall() - _WEEK if since is None else since
    env = os.environ if environ is None else environ
    return diagnosis.diagnose(places or find_places(), env, since=begin, repo=repo)
