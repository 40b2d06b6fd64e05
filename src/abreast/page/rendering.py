"""Templates: every value in them is escaped, and loses characters that act."""

import re
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from abreast.faces import figures, rows
from abreast.model.question import Decision
from abreast.model.session import Session
from abreast.model.snapshot import Row
from abreast.model.text import harmless
from abreast.process import clock

if TYPE_CHECKING:
    from collections.abc import Callable

SCREENS = (("/", "Board"),)
_DECISIONS = {
    Decision.ONCE: "Allow this call",
    Decision.SESSION: "Allow for this session",
    Decision.DENY: "Deny",
}

TEMPLATES = Path(__file__).with_name("templates")


@cache
def environment() -> Environment:
    """Return the environment of all templates."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words: dict[str, Callable[..., Any]] = {
        "one_line": figures.one_line,
        "age": figures.age,
        "duration": figures.duration,
        "money": figures.money,
        "count": figures.count,
        "counted": figures.counted,
        "moment": figures.moment,
        "doing": rows.doing,
        "name_of": rows.name_of,
        "files_of": _files,
        "tokens_of": _tokens,
        "money_of": _money,
        "advice": _advice,
        "ago": _ago,
        "clock_time": _clock_time,
        "decision_words": _DECISIONS.__getitem__,
        "session_path": session_path,
    }
    made.filters.update(words)
    made.globals["screens"] = SCREENS
    made.globals["here"] = ""
    return made


def page(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a whole page."""
    return HTMLResponse(environment().get_template(template).render(values), status)


def part(template: str, macro: str, *values: Any) -> Markup:
    """Return what one macro of a template makes of these values."""
    made: Callable[..., Markup] = getattr(environment().get_template(template).module, macro)
    return made(*values)


def session_path(session: str) -> str:
    """Return the path of a session's page."""
    return f"/session/{quote(session)}"


def _ago(at: float) -> Markup:
    """Return how long ago something was; a script keeps it current."""
    text = figures.age(max(0.0, clock.wall() - at))
    return Markup('<time class="ago" data-at="{}" title="{}">{}</time>').format(
        f"{at:.0f}", figures.moment(at), text
    )


def _clock_time(at: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(at))


def _tokens(row: Row) -> str:
    return "" if row.tokens is None else figures.count(row.tokens)


def _advice(session: Session) -> str:
    return re.sub(r"\bRUN\b", session.run, session.advice)


def _money(usd: float | None) -> str:
    return "" if usd is None else f" {figures.money(usd)}"


def _files(session: Session) -> str:
    return f" {rows.files(session)}" if session.files else ""


def _shown(value: Any) -> Any:
    if isinstance(value, Markup) or not isinstance(value, str):
        return "" if value is None else value
    return harmless(value)
