"""What a session wrote in checkouts of others, by its own record; and what changed there.

A path that its record shows it to have written is held against a session. Whatever else changes in
the user's checkout meanwhile may be the user's, or another session's: that is only told.
"""

import os
from pathlib import Path

from abreast.engine.common.layout import ROUNDS
from abreast.engine.working.session.context import SessionContext
from abreast.engine.working.session.keeping import Baseline, noted_at
from abreast.git.beside import changed_since, checkouts
from abreast.model.text import named
from abreast.runner.job import load_progress, load_result


def written_outside(context: SessionContext) -> list[tuple[Path, Path]]:
    """Return the files of other checkouts that the session's agent wrote in this attempt.

    Each with the checkout that it is in. A call that was refused, or failed, has written nothing;
    and what a link leads to now may be older than the attempt.
    """
    began = noted_at(context.layout.directory)
    place, wrote = os.path.realpath(context.layout.worktree), dict[Path, None]()
    for name in _wrote(context):
        path = os.path.realpath(os.path.join(place, name))  # noqa: PTH118 - not of this world
        if not _is_in(path, place) and _changed_at(path) >= began:
            wrote[Path(path)] = None
    if not wrote:
        return []
    others = [Path(os.path.realpath(one)) for one in checkouts(context.repository.common_dir)]
    others = [one for one in others if str(one) != place]
    # The innermost one: worktrees may lie in each other.
    others.sort(key=lambda one: -len(one.parts))
    found = ((path, _first(path, others)) for path in wrote)
    return [(path, checkout) for path, checkout in found if checkout is not None]


def note_changes(context: SessionContext, before: Baseline) -> None:
    """Tell what has changed in the user's checkout since, by whomever."""
    found = changed_since(context.repository, dict(before.checkout))
    if found:
        top = context.repository.place
        text = f"in {top} changed while it ran, by whom is not known: {named(found)}"
        context.add_event("note", text)


def _wrote(context: SessionContext) -> list[str]:
    found: dict[str, None] = {}
    for name in ROUNDS:
        folder = context.layout.job(name)
        result = load_result(folder)
        progress = result.progress if result is not None else load_progress(folder)
        found.update(dict.fromkeys(progress.wrote if progress is not None else ()))
    return list(found)


def _changed_at(path: str) -> float:
    try:
        return os.lstat(path).st_ctime
    except OSError:
        return -1  # it is gone


def _first(path: Path, checkouts: list[Path]) -> Path | None:
    return next((one for one in checkouts if _is_in(str(path), str(one))), None)


def _is_in(path: str, folder: str) -> bool:
    return path.startswith(f"{folder.rstrip('/')}/")
