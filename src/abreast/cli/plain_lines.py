"""A run while it runs, where there is no terminal: a line for each change."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from abreast.cli.notices import conflicts_of
from abreast.faces import figures
from abreast.faces.rows import landed_as, landing_word
from abreast.faces.states import LAND_STYLES, SESSION_STYLES
from abreast.model.conflicts import WorkConflict, told_files
from abreast.model.session import LandState, Run, Session, SessionState
from abreast.model.snapshot import Row, Snapshot


class Lines:
    """Plain lines: one for each change of a session's state, landing or conflicts."""

    def __init__(self, console: Console, known: Run | None = None) -> None:
        self._console = console
        self._seen: dict[str, tuple[SessionState, LandState]] = {
            session.id: (session.state, session.landing)
            for session in (known.sessions if known else ())
        }
        self._conflicts: dict[tuple[str, str, bool], WorkConflict] = {}
        self._asked: set[str] = set()
        self._begun = False

    def show(self, snapshot: Snapshot) -> None:
        rows = {row.id: row for row in snapshot.rows}
        if not self._begun:
            # What had ended before is in the closing table.
            ended = (row.session for row in snapshot.rows if row.session.state.final)
            self._seen |= {one.id: (one.state, one.landing) for one in ended}
        self._begun = True
        all_of_them = (session for one in snapshot.runs for session in one.run.sessions)
        sessions = [session for session in all_of_them if session.id in rows]
        for session in sessions:
            state, landing = self._seen.get(session.id, (None, LandState.NONE))
            if session.state is not state:
                self._say(session, session.state, _told(session), SESSION_STYLES[session.state])
            if session.landing is not landing:
                style = LAND_STYLES[session.landing]
                left = session.landing is LandState.NONE  # its reason says why
                more = figures.one_line(session.reason) if left else landed_as(session)
                self._say(session, landing_word(session), more, style)
            self._seen[session.id] = (session.state, session.landing)
            self._show_question(rows[session.id])
        self._show_conflicts(sessions)

    def _show_question(self, row: Row) -> None:
        """Tell what an agent asks while it is at work, and how to answer."""
        asked = row.need.questions if row.need and not row.session.state.final else ()
        if row.need and asked and asked[-1].id not in self._asked:
            self._asked.update(one.id for one in asked)
            more = f"{figures.one_line(row.need.asked)}; {row.need.answers[0].command}"
            self._say(row.session, "asks", more, "yellow")

    def _show_conflicts(self, all_of_them: Sequence[Session]) -> None:
        """Tell which conflicts have begun or are in other files now, and which are over."""
        found = {
            (session.id, one.other, one.is_target): one
            for session, one in conflicts_of(all_of_them)
        }
        sessions = {session.id: session for session in all_of_them}
        for key, one in found.items():
            if key not in self._conflicts or self._conflicts[key].key != one.key:
                files = "; ".join(told_files(one.files, one.more))
                word = f"conflicts with {figures.one_line(one.other)}"
                self._say(sessions[key[0]], word, figures.one_line(files), "yellow")
        for key in self._conflicts.keys() - found.keys():
            word = f"no longer conflicts with {figures.one_line(key[1])}"
            self._say(sessions[key[0]], word, "", "dim")
        self._conflicts = found

    def _say(self, session: Session, word: str, more: str, style: str) -> None:
        line = Text(f"{session.id}: ").append(word, style)
        if more:
            line.append(f", {more}")
        self._console.print(line, soft_wrap=True)


def _told(session: Session) -> str:
    if session.state in {SessionState.RUNNING, SessionState.PREPARING}:
        return figures.one_line(session.agent)
    if session.state is SessionState.DONE:
        commit = f"commit {session.commit[:7]}" if session.commit else "nothing to commit"
        return f"{figures.counted(len(session.files), 'file')}, {commit}"
    if session.state is SessionState.QUEUED and not session.repairing:
        return f"after {', '.join(session.waits_for)}" if session.waits_for else ""
    if session.state.final:
        return figures.one_line(session.reason).removeprefix(f"{session.state} ")
    return f"repairing {session.repairing}" if session.repairing else ""
