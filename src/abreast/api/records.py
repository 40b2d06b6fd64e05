"""What transcripts tell: the ledger, handoff files, the doctor."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from abreast.model.connection import Confirm, Connection
from abreast.model.contract import Contract, Deliverable
from abreast.model.finding import Diagnosis
from abreast.model.handoff import TOKENS, Freshness, Handoff
from abreast.model.ledger import By, Ledger
from abreast.places import Places, find_places

_WEEK = 7 * 86_400.0


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
    from abreast.engine.reading.ledger import report

    env = os.environ if environ is None else environ
    return report.ledger(places or find_places(), env, since=since, by=By(by))


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
    from abreast.engine.reading.handoff import choose

    where, env = places or find_places(), os.environ if environ is None else environ
    place = folder or Path.cwd()
    found = choose.handoff(source, where, env, tokens=tokens, folder=place)
    if not polish:
        return found
    from abreast.api.delegations import delegate
    from abreast.engine.reading.handoff.polish import polish as reword

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
    """Return a handoff of every session in `folder` that may have to be gone on with.

    Those are the newest session of each CLI that was started by hand there, and abreast's own on
    its repository that have ended and not landed, newest first.
    """
    from abreast.engine.reading.handoff import choose

    where, env = places or find_places(), os.environ if environ is None else environ
    return choose.handoffs(where, env, tokens=tokens, folder=folder or Path.cwd())


def write_handoff(found: Handoff, file: Path, *, force: bool = False) -> Path:
    """Write a handoff to `file`, or to CURRENT_WORK.md in that folder; returns where.

    Raises StateError when something else than a handoff stands there, unless `force`.
    """
    from abreast.engine.reading.handoff import writing as made

    return made.write(found, file, force=force)


def check_handoff(
    file: Path | None = None, *, folder: Path | None = None, places: Places | None = None
) -> Freshness:
    """Tell whether a handoff is stale against its checkout: commits, branch, files since.

    Without `file`, the one in `folder` (by default the current one), or where the session-end hook
    has put it. Raises NotFoundError when there is none, StateError when it is none of ours.
    """
    from abreast.engine.reading.handoff import writing as made

    return made.check(file, folder or Path.cwd(), places or find_places())


def hook_handoff(
    agent: str,
    *,
    remove: bool = False,
    confirm: Confirm | None = None,
    environ: Mapping[str, str] | None = None,
    places: Places | None = None,
) -> Connection:
    """Have an agent CLI write a handoff whenever a session of it ends, or undo that.

    The hook goes into the user's own configuration. `confirm` is given what would change, and
    returns whether to go on. Raises as `connect` does.
    """
    from abreast.engine.client.connect import ending_hook as hook

    env = os.environ if environ is None else environ
    where = places or find_places()
    return hook.hook(agent, where, env, remove=remove, confirm=confirm)


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
    from abreast.engine.reading.doctor import diagnosis

    begin = time.time() - _WEEK if since is None else since
    env = os.environ if environ is None else environ
    return diagnosis.diagnose(places or find_places(), env, since=begin, repo=repo)
