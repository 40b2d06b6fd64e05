"""What the peek says of a session: what it needs, what it does now, what it was to do. Pure."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from abreast.board.lines import repository
from abreast.faces import figures, rows
from abreast.faces.states import LAND_STYLES, SESSION_STYLES
from abreast.model.moment import Moment
from abreast.model.need import Need
from abreast.model.question import Question, QuestionKind
from abreast.model.session import LandState, LogEvent, Session
from abreast.model.session_page import SessionPage
from abreast.model.snapshot import Row

_FILES = 12
_SAID = 400  # characters of one event


def peek_text(
    row: Row, now: Moment, story: Sequence[LogEvent] = (), page: SessionPage | None = None
) -> Text:
    """Return what is known of a session. `story` are its latest events, the oldest first."""
    session = row.session
    text = Text(overflow="fold")
    text.append(rows.name_of(session), "bold").append(f"  {session.id}\n", "dim")
    _state(text, row, now)
    if row.need:
        _need(text, row.need)
    if row.sentence:
        _part(text, "It is to do", figures.harmless(row.sentence))
    _now(text, row, story)
    if session.final_message:
        _part(text, "It said last", figures.harmless(session.final_message))
    if page:
        _page(text, page)
    else:
        _files(text, session)
    return text


def _state(text: Text, row: Row, now: Moment) -> None:
    session = row.session
    text.append(session.state, SESSION_STYLES[session.state])
    if session.landing is not LandState.NONE:
        text.append(", ").append(rows.landing_word(session), LAND_STYLES[session.landing])
    text.append(f" since {figures.age(row.age(now))}")
    who = " ".join(filter(None, [session.agent, session.model]))
    text.append(f"  {figures.one_line(who)}", "dim")
    text.append(f"\n{repository(row)}", "dim")
    if session.branch:
        text.append(f"  {figures.one_line(session.branch)} → ", "dim")
        text.append(figures.one_line(row.target.removeprefix("refs/heads/")), "dim")
    parts = [f"took {figures.duration(session.took(now))}"] if session.started else []
    if row.tokens is not None:
        parts.append(f"{rows.tokens(session.usage)} tokens")
    if session.usage.cost_usd is not None:
        parts.append(figures.money(session.usage.cost_usd))
    if session.attempt > 1:
        parts.append(f"attempt {session.attempt}")
    text.append(f"\n{', '.join(parts)}\n" if parts else "\n", "dim")
    if session.reason and row.need is None:
        text.append(f"{figures.harmless(session.reason)}\n")


def _need(text: Text, need: Need) -> None:
    text.append("\nNeeds you", "bold yellow")
    if not need.questions:
        text.append(f": {figures.harmless(need.asked)}\n")
    else:
        text.append("\n")
    for question in need.questions:
        question_text(text, question)
    for answer in need.answers:
        text.append(f"  {figures.one_line(answer.command)}", "bold")
        text.append(f"  {figures.one_line(answer.does)}\n", "dim")


def question_text(text: Text, question: Question) -> None:
    """Add a question with its choices by number."""
    if question.kind is QuestionKind.PERMISSION:
        text.append(f"May it use {figures.one_line(question.tool)}?\n")
        text.append(f"{figures.harmless(question.about)}\n", "bold")
    if question.text:
        text.append(f"{figures.harmless(question.text)}\n")
    for number, (label, about) in enumerate(choices_of(question), 1):
        text.append(f"  {number} ", "bold").append(label)
        text.append(f"  {about}\n" if about else "\n", "dim")


_PERMITS = {
    "once": ("allow this call", "the session goes on with it"),
    "session": ("allow such calls", "for the rest of the session"),
    "deny": ("deny it", "the session goes on without"),
}


def choices_of(question: Question) -> list[tuple[str, str]]:
    """Return what a person can choose, in the order of its numbers, and what each means."""
    if question.kind is QuestionKind.PERMISSION:
        return [_PERMITS[decision.value] for decision in question.offered]
    one_line = figures.one_line
    return [(one_line(one.label), one_line(one.description)) for one in question.choices]


def _now(text: Text, row: Row, story: Iterable[LogEvent]) -> None:
    doing = rows.doing(row)
    told = [event for event in story if event.text.strip()]
    if not row.session.state.final and doing:
        _part(text, "Now", doing)
    if told:
        text.append("\nIts story\n", "bold")
    for event in told:
        said = figures.harmless(event.told).strip()
        said = said if len(said) <= _SAID else f"{said[:_SAID]}…"
        text.append(f"  {event.kind:<9} ", "dim").append(said.replace("\n", "\n            "))
        text.append("\n")


def _files(text: Text, session: Session) -> None:
    if not session.files:
        return
    text.append(f"\n{figures.counted(len(session.files), 'file')}", "bold")
    if session.added is not None and session.deleted is not None:
        text.append(f"  +{session.added}", "green").append(f" -{session.deleted}", "red")
    text.append("\n")
    outside = set(session.outside)
    for path in session.files[:_FILES]:
        text.append(f"  {figures.one_line(path)}\n", "yellow" if path in outside else "")
    if (rest := len(session.files) - _FILES) > 0:
        text.append(f"  and {rest:,} more\n", "dim")


def _page(text: Text, page: SessionPage) -> None:
    if page.checks:
        text.append("\nChecks\n", "bold")
    for check in page.checks:
        text.append("  ✓ " if check.passed else "  ✗ ", "green" if check.passed else "red")
        text.append(f"{figures.one_line(check.command)}  ").append(f"{check.outcome}\n", "dim")
        if check.said:
            text.append(f"    {figures.one_line(check.said)}\n", "red")
    _changed(text, page)
    for one in page.conflicts:
        paths = ", ".join(map(figures.one_line, one.paths[:3]))
        text.append(f"conflicts with {figures.one_line(one.other)} in {paths}\n", "red")
    for risk in page.risks:
        text.append(f"! {figures.one_line(risk)}\n", "yellow")
    for said in (page.landing, page.landed, page.advice):
        if said:
            text.append(f"\n{figures.harmless(said)}\n")


def _changed(text: Text, page: SessionPage) -> None:
    if page.files:
        added, deleted = page.lines
        text.append(f"\n{figures.counted(len(page.files), 'file')}", "bold")
        text.append(f"  +{added}", "green").append(f" -{deleted}", "red").append("\n")
    for file in page.files[:_FILES]:
        text.append(f"  {file.status} ", "dim")
        text.append(figures.one_line(file.path), "yellow" if file.outside else "")
        lines = "binary" if file.added is None else f"+{file.added} -{file.deleted}"
        text.append(f"  {lines}\n", "dim")
    if (rest := len(page.files) - _FILES) > 0:
        text.append(f"  and {rest:,} more\n", "dim")


def _part(text: Text, title: str, said: str) -> None:
    text.append(f"\n{title}\n", "bold").append(f"  {said}\n".replace("\n", "\n  ").rstrip() + "\n")
