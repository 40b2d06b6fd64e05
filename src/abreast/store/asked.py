"""Rows as questions; apart from `loading`, as `abreast status` rarely needs it."""

import json
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind
from abreast.store.loading import columns

_RENAMED = {"session": "session_id"}
_FIELDS = tuple(one.name for one in fields(Question))
QUESTION_COLUMNS = tuple(_RENAMED.get(name, name) for name in _FIELDS)

# Written for both databases; `?` stands for a parameter.
QUESTIONS = f"SELECT {columns(QUESTION_COLUMNS, 'q')} FROM abreast_questions q"  # noqa: S608
ORDER_ASKED = "ORDER BY q.asked, q.id"
# One whose session goes on without its answer, or was stopped or lost, waits for nobody any more.
_WAITING = (
    "JOIN abreast_sessions s ON s.id = q.session_id AND s.attempt = q.attempt "
    "WHERE q.answered IS NULL AND ((q.live AND s.state = 'running') OR s.state = 'blocked')"
)
WAITING_QUESTIONS = f"{QUESTIONS} {_WAITING} {ORDER_ASKED}"


@lru_cache(maxsize=1024)
def load_choices(text: str) -> tuple[AnswerChoice, ...]:
    """Return what `rows.columns_of` was given."""
    return tuple(AnswerChoice(**one) for one in json.loads(text))


def load_question(row: Sequence[Any]) -> Question:
    """Return the question that the values of `QUESTION_COLUMNS` stand for."""
    found = dict(zip(_FIELDS, row, strict=True))
    found["kind"], found["decision"] = QuestionKind(found["kind"]), Decision(found["decision"])
    found["choices"] = load_choices(found["choices"])
    return Question(**found | {name: bool(found[name]) for name in ("several", "live")})
