"""What the next session needs to go on: handoffs."""

import os
from collections.abc import Mapping
from pathlib import Path

from abreast.engine.reading.handoff import choose, writing
from abreast.engine.reading.handoff.writing import polish as reword
from abreast.model.handoff import TOKENS, Freshness, Handoff
from abreast.model.task import Contract, Deliverable
from abreast.places import Places, find_places


def handoff(
    source: str = "",
    *,
    tokens: int = TOKENS,
    polish: str = "",
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Handoff:
    """Return what the next session needs to go on: state, reason, next step, context.

    `source` is a session of abreast's, the file of a transcript, or the id that a CLI gave a
    session; by default the newest session that was started by hand in `folder` (by default the
    current one), whichever the CLI. `tokens` bounds it. `polish` names an agent that may reword
    it; `notes` tell whether its words were taken. Raises NotFoundError when there is no such
    session.
    """
    where, env = places or find_places(), os.environ if environ is None else environ
    place = folder or Path.cwd()
    found = choose.handoff(source, where, env, tokens=tokens, folder=place)
    if not polish:
        return found
    from abreast.api.delegations import delegate  # takes SQLAlchemy, which nothing else here does

    def ask(asked: Contract) -> Deliverable:
        return delegate(asked, agent=polish, repo=place, places=where)

    return reword(found, tokens, ask)


def handoffs(
    *,
    tokens: int = TOKENS,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> list[Handoff]:
    """Return a handoff of every session in `folder` that may need to be continued.

    Those are the newest session of each CLI that was started by hand there, and abreast's own on
    its repository that have ended and not landed, newest first.
    """
    where, env = places or find_places(), os.environ if environ is None else environ
    return choose.handoffs(where, env, tokens=tokens, folder=folder or Path.cwd())


def write_handoff(found: Handoff, file: Path, *, force: bool = False) -> Path:
    """Write a handoff to `file`, or to CURRENT_WORK.md in that folder; returns where.

    Raises StateError when something else than a handoff stands there, unless `force`.
    """
    return writing.write(found, file, force=force)


def check_handoff(
    file: Path | None = None, *, folder: Path | None = None, places: Places | None = None
) -> Freshness:
    """Return whether a handoff is stale against its checkout: commits, branch, files since.

    Without `file`, the one in `folder` (by default the current one), or where the session-end hook
    has put it. Raises NotFoundError when there is none, StateError when it is none of ours.
    """
    return writing.check(file, folder or Path.cwd(), places or find_places())
