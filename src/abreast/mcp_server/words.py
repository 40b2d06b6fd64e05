"""The server's instructions and tools. Keep them short: every parent pays for each word."""

from typing import Any

from abreast.agents import modelled
from abreast.contract.shapes import PRESETS
from abreast.model.task import LIMIT_TOKENS, Isolation

NAME = "abreast"

INSTRUCTIONS = (
    "Subagents: a child agent answers one bounded research question in its own context and "
    "returns a short answer. Delegate reading that costs far more than its answer: many files, "
    "logs, wide searches, independent questions in parallel. Read a few small files yourself. Ask "
    "one question, not one per file. A child does not see this conversation."
)


def _object(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}
_TEXTS = {"type": "array", "items": _TEXT}
_ID = _object(("id",), id=_TEXT)
_READS = {"readOnlyHint": True}
_KEEPS = {"destructiveHint": False}

TOOLS: tuple[dict[str, Any], ...] = (
    {
        "name": "delegate",
        "description": "Ask a child agent (subagent) one self-contained question about this "
        "repository. Returns the answer, or an id to collect.",
        "inputSchema": _object(
            ("question",),
            question=_TEXT,
            scope=_TEXTS | {"description": "paths, globs"},
            # No type: it may be an object, and each client reads a union of types in its own way.
            returns={"description": f"{'|'.join(PRESETS)} or JSON Schema"},
            limit_tokens=_NUMBER | {"default": LIMIT_TOKENS},
            agent=_TEXT | {"enum": list(modelled())},
            constraints=_TEXTS,
            success=_TEXT,
            isolation=_TEXT
            | {
                "enum": [*map(str, Isolation)],
                "description": "worktree: edits on its own branch",
            },
            minutes=_NUMBER,
            turns=_NUMBER,
        ),
        "annotations": _KEEPS,
    },
    {
        "name": "delegate_many",
        "description": "Ask independent questions in parallel; answers share limit_tokens",
        "inputSchema": _object(
            ("questions",),
            questions={
                "type": "array",
                "items": _object(("question",), question=_TEXT, scope=_TEXTS),
            },
            returns={},
            limit_tokens=_NUMBER,
            agent=_TEXT,
        ),
        "annotations": _KEEPS,
    },
    {
        "name": "collect",
        "description": "Wait for a child's answer",
        "inputSchema": _ID,
        "annotations": _READS,
    },
    {
        "name": "more",
        "description": "Get the next page of a cut answer",
        "inputSchema": _object(("id", "page"), id=_TEXT, page=_NUMBER),
        "annotations": _READS,
    },
    {
        "name": "tell",
        "description": "Message a running child",
        "inputSchema": _object(("id", "text"), id=_TEXT, text=_TEXT),
    },
    {
        "name": "cancel",
        "description": "Stop a child; its work is kept",
        "inputSchema": _ID,
    },
)
