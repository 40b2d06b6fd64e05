"""What the records of a Gemini CLI transcript are (0.61.0), whatever a hostile one may hold.

The CLI appends: a header, messages, `$set` with what has changed (`messages` replaces them all),
`$rewindTo` a message. A message is written again, under its id, when its tools have returned.
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

Record = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
# How messages begin that the CLI itself, or a hook, puts before the first prompt.
_CONTEXTS = ("<session_context>", "<hook_context>")


class Kind(Enum):
    """What a message is to the conversation."""

    CONTEXT = "context"
    PROMPT = "prompt"
    RESULTS = "results"  # what tools returned, on its way to the model
    REPLY = "reply"
    CALLING = "calling"  # a reply that says nothing, and whose tools have not returned
    ASIDE = "aside"


def identity(record: Record) -> str:
    """Return the id of a message, "" for any other record."""
    value = record.get("id", "")
    return value if isinstance(value, str) and not is_rewind(record) else ""


def is_rewind(record: Record) -> bool:
    return isinstance(record.get("$rewindTo"), str)


def is_header(record: Record) -> bool:
    named = (record.get("sessionId"), record.get("projectHash"))
    return not identity(record) and all(isinstance(value, str) for value in named)


def changes(record: Record) -> Record:
    """Return what a `$set` sets, {} for any other record."""
    value = record.get("$set")
    return value if isinstance(value, dict) and not identity(record) else {}


def listed(record: Record) -> list[Record] | None:
    """Return the messages that a record lists in place of all before it; None if it lists none."""
    source = record if is_header(record) else changes(record)
    value = None if is_rewind(record) else source.get("messages")
    if not isinstance(value, list):
        return None
    return [message for message in value if isinstance(message, dict) and identity(message)]


def messages(record: Record) -> Sequence[Record]:
    """Return the messages in a record: itself, or those that it lists."""
    return [record] if identity(record) else listed(record) or ()


def kind(message: Record) -> Kind:
    whose = message.get("type")
    if whose == "gemini":
        told = text(message.get("content")).strip() or message.get("toolCalls")
        return Kind.REPLY if told else Kind.CALLING
    if whose != "user":
        return Kind.ASIDE
    content = message.get("content")
    if any("functionResponse" in part for part in parts(content)):
        return Kind.RESULTS
    return Kind.CONTEXT if text(content).startswith(_CONTEXTS) else Kind.PROMPT


def parts(content: Any) -> list[Record]:
    if isinstance(content, str):
        return [{"text": content}]
    several = content if isinstance(content, list) else [content]
    return [{"text": p} if isinstance(p, str) else p for p in several if isinstance(p, str | dict)]


def text(content: Any) -> str:
    """Return what is said in a content: a text, or parts of which some are texts."""
    said = [part.get("text") for part in parts(content) if not part.get("thought")]
    return "".join(one for one in said if isinstance(one, str))


def safe_name(value: Any) -> str:
    """Return a session's id, or "" for what is none: it may become part of a path."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""
