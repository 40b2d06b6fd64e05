"""Whether the target itself is red: then what fails on top of it is nobody's fault.

Asked only when a session by itself fails verify on the target as it is, and only if the target was
not green before in the same request: as what has just landed, or by a trial of its own.
"""

import json
from pathlib import Path

from abreast.engine.working.landing.trial import try_merged, verify_failed
from abreast.engine.working.session.context import SessionContext
from abreast.model.session import LandState
from abreast.model.text import unique_name
from abreast.process.files import private_folder, write_atomic
from abreast.runner.supervise import STOPPED_BY_USER
from abreast.store.rows import SessionUpdate

_VERDICT, _GREEN = "verdict.txt", ""
_TRIES = ("first", "second")


def note_green(context: SessionContext, commit: str) -> None:
    """Note that verify has passed on `commit`, which is the target now."""
    if context.task.commands:
        write_atomic(private_folder(_folder(context, commit)) / _VERDICT, _GREEN)


def known_red(context: SessionContext, tip: str) -> str:
    """Return how verify has failed on the target's commit `tip` in this request; "": not known."""
    said = _folder(context, tip) / _VERDICT
    found = said.read_text(encoding="utf-8") if said.exists() else ""
    return found if verify_failed(found) else ""


async def try_target(context: SessionContext, tip: str, stop_file: Path) -> str:
    """Run setup and verify on the target's commit `tip`; return as `try_merged` does.

    As on a merge, a verify that fails is tried once more. What a commit came to is known from then
    on, for this request.
    """
    folder = _folder(context, tip)
    said = folder / _VERDICT
    if said.exists():
        return said.read_text(encoding="utf-8")
    for name in _TRIES:
        failed = await try_merged(context, tip, folder / name, stop_file)
        if not verify_failed(failed):
            break
    if failed != STOPPED_BY_USER:
        write_atomic(private_folder(folder) / _VERDICT, failed)
    return failed


def is_red(context: SessionContext, tested: SessionContext, tip: str, failed: str) -> SessionUpdate:
    """Return the end of a landing that stops because the target itself is red.

    `tested` is the session for which that was found out.
    """
    target, verify = context.run.target, context.task.verify
    output = _folder(tested, tip) / _TRIES[-1] / "verify"
    return SessionUpdate(
        landing=LandState.NONE,
        landed="",
        reason=f"{target} itself is red, without this: `{verify}` on {tip[:12]}: {failed}",
        hint=f"its output: {output}; once {target} is mended, or by what mends it: abreast land"
        f" {context.layout.id}",
    )


def _folder(context: SessionContext, tip: str) -> Path:
    """Return the folder of the target's trial by these commands, for this request."""
    kind = unique_name("", json.dumps(dict(context.task.commands)))
    request = context.engine.places.runs / context.run.id / "target" / str(context.run.generation)
    return request / f"{tip}-{kind}"
