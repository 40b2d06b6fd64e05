"""What sessions changed, what of it conflicts, and the page to decide about a session by."""

from pathlib import Path

from abreast.api.looking import find_run, find_session, run_or_session
from abreast.engine.reading import diff as inspect
from abreast.model.conflict_matrix import ConflictMatrix
from abreast.model.session import Run
from abreast.model.session_page import SessionPage
from abreast.places import Places, find_places


def diff(
    name: str,
    *,
    stat: bool = False,
    binary: bool = False,
    as_merged: bool = False,
    width: int = 0,
    places: Places | None = None,
) -> str:
    """Return a session's changes against its base as git prints them, uncommitted ones included.

    With `as_merged`, what landing it would change in its target as that is now; raises StateError
    when it conflicts there, or cannot land any more. With `binary`, `git apply` takes it whatever
    has changed. With `stat` it is a summary, in `width` columns where that is given. Bytes that are
    no text are surrogates: `os.fsencode` gives them back.
    """
    where = places or find_places()
    session = find_session(name, places=where)
    form = inspect.form_of(stat=stat, binary=binary, width=width)
    if as_merged:
        run = find_run(session.run, places=where)
        return inspect.diff_as_merged(session, run, where, form)
    return inspect.diff(session, where, form)


def show(name: str, *, places: Places | None = None) -> SessionPage:
    """Return the page of a session: intent, files, checks, conflicts, risks, what landing does."""
    from abreast.engine.reading.page import page_of

    where = places or find_places()
    session = find_session(name, places=where)
    return page_of(session, find_run(session.run, places=where), where)


def conflicts(
    name: str = "", *, all_worktrees: bool = False, places: Places | None = None
) -> ConflictMatrix:
    """Return which sessions of a run conflict with each other, or with the target as it is now.

    By default it is the newest run; of a session, only its own conflicts are returned. With
    `all_worktrees`, worktrees that others have made are compared, too; with that and no name also
    the sessions of all runs, in the repository that the current folder lies in.
    """
    from abreast.engine.reading import conflicts as reading

    where = places or find_places()
    if all_worktrees and not name:
        return reading.conflicts_of_worktrees(Path.cwd(), where)
    found = run_or_session(name, where) if name else find_run(places=where)
    run = found if isinstance(found, Run) else find_run(found.run, places=where)
    session = "" if found is run else found.id
    return reading.conflicts_of_run(run, where, session=session, all_worktrees=all_worktrees)
