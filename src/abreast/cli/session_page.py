"""The page of a session on a terminal."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from abreast.faces import figures, rows
from abreast.faces.states import LAND_STYLES, SESSION_STYLES
from abreast.model.session import LandState, Session
from abreast.model.session_page import PageFile, SessionPage
from abreast.model.text import harmless, named
from abreast.process import clock

_FILES = 30  # shown; --json has all
_WORDS = 600  # characters of a prompt and of a message


def print_page(console: Console, page: SessionPage) -> None:
    """Print what was to be done, what was done, what deserves a look, and the next command."""
    for part in (*_title(page), *_said(page), *_result(page), *_next(page)):
        console.print(part, crop=False)


def logs_head(session: Session, events: int | None) -> Iterator[RenderableType]:
    """Yield how a session stands and how much it did, why it ended so, and what to do about it.

    `events` counts the lines of its story, None for a story that goes on.
    """
    size = [] if events is None else [figures.counted(events, "event")]
    size += [figures.counted(session.attempt, "attempt")] if session.attempt > 1 else []
    size += [figures.counted(len(session.files), "file")] if session.files else []
    yield _head(session).append(f"  {', '.join(size)}".rstrip())
    if session.reason:
        yield _text(figures.one_line(session.reason), "yellow")
    here = f"abreast logs {session.id}" in session.advice  # which has been typed already
    if advice := session.goes_on_by if here else session.advice:
        yield _unbroken(f"hint: {figures.one_line(advice)}")


def _head(session: Session) -> Text:
    head = Text(session.id, "bold", overflow="fold").append("  ")
    head.append(session.state, SESSION_STYLES[session.state])
    if session.landing is not LandState.NONE:
        head.append(", ").append(session.landing, LAND_STYLES[session.landing])
    head.append(f"  {session.agent} {session.model}".rstrip())
    took = figures.duration(session.took(clock.now()))
    return head.append(f"  {took}  {rows.tokens(session.usage)}")


def _title(page: SessionPage) -> Iterator[Text]:
    session = page.session
    yield _head(session)
    yield _text(page.intent)
    if session.repairing:
        yield _text(f"repairing {session.repairing}", "yellow")
    if session.reason:
        yield _text(figures.one_line(session.reason), "yellow")


def _said(page: SessionPage) -> Iterator[RenderableType]:
    if page.prompt.strip() and page.prompt.strip() != page.intent.strip():
        yield from _quote("asked", page.prompt)
    if page.session.final_message:
        yield from _quote("its last message", page.session.final_message)


def _result(page: SessionPage) -> Iterator[Text]:
    added, deleted = page.lines
    size = f"{figures.counted(len(page.files), 'file')}, +{added} -{deleted}"
    yield from _block("changed", size if page.files else "nothing")
    for file in page.files[:_FILES]:
        yield _file(file)
    if len(page.files) > _FILES:
        yield _text(
            f"  and {len(page.files) - _FILES} more; abreast diff {page.session.id} has all"
        )
    for check in page.checks:
        outcome = check.outcome + (f": {figures.one_line(check.said)}" if check.said else "")
        style = "green" if check.passed else "red"
        command = figures.one_line(check.command)
        yield from _block(check.name, f"{command}: {outcome}", style)


def _next(page: SessionPage) -> Iterator[RenderableType]:
    if page.risks:
        yield from _heading("look at this")
        for risk in page.risks:
            yield _text(f"  - {risk}", "yellow")
    if page.landing:
        yield from _block("landing it", page.landing)
    if page.landed:
        yield from _block("landed", page.landed)
    if page.command or page.advice:
        yield Text()
        yield _unbroken(f"next: {page.command or page.advice}")


def _heading(heading: str) -> Iterator[Text]:
    yield Text()
    yield Text(f"{heading}:", "bold")


def _quote(heading: str, text: str) -> Iterator[RenderableType]:
    """Yield foreign words. None of their lines begins where those of the page do."""
    yield from _heading(heading)
    yield Padding(_text(_shortened(text)), (0, 0, 0, 2), expand=False)


def _block(heading: str, text: str, style: str = "") -> Iterator[Text]:
    yield Text()
    yield Text.assemble((f"{heading}: ", "bold"), (text, style), overflow="fold")


def _text(text: str, style: str = "") -> Text:
    return Text(text, style, overflow="fold")


def _unbroken(text: str) -> RenderableType:
    """Return one line that is left to the terminal to wrap: a command in it can be copied."""
    return Group(Text(text, no_wrap=True, overflow="ignore"))


def _file(file: PageFile) -> Text:
    size = "binary" if file.added is None else f"+{file.added} -{file.deleted}"
    path = file.path if file.path == figures.one_line(file.path) else named([file.path])
    text = Text(f"  {file.status}  {path}  ", overflow="fold").append(size, "dim")
    return text.append("  outside its declared paths", "yellow") if file.outside else text


def _shortened(text: str) -> str:
    shown = harmless(text).strip()
    return shown if len(shown) <= _WORDS else f"{shown[:_WORDS].rstrip()} …"
