"""What Claude Code asks while it runs, on its streams, and how it takes the answers.

Tried with 2.1.197 and 2.1.330: questions of its tool for them and calls that need a permission
arrive as control requests, and it waits for the response however long that takes.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from abreast.agents.recorded import as_dict, as_list
from abreast.model.question import AnswerChoice, Decision, Question, QuestionKind

TOOL = "AskUserQuestion"
OPTIONS = ("--input-format", "stream-json", "--permission-prompt-tool", "stdio")
RULE = (
    f"If you cannot go on without an answer, ask with {TOOL}: a person may answer. Decide yourself "
    "whatever you can. If you cannot finish even so, say in your last message what is missing."
)
_PATHS = ("file_path", "notebook_path")
_EDITORS = frozenset({"Edit", "Write", "NotebookEdit", "MultiEdit"})
_READERS = frozenset({"Read", "NotebookRead"})
_SHELL = "Bash"
_PATTERN = re.compile(r"[*?\[\]{}!\\\n]")  # what a rule would take for more than itself


def message(prompt: str) -> str:
    """Return a prompt as a line of its standard input."""
    content = {"role": "user", "content": prompt}
    return json.dumps({"type": "user", "message": content}) + "\n"


def asked(call: str, request: Mapping[str, Any]) -> tuple[Question, ...]:
    """Return what a control request asks a person; nothing for those of another kind."""
    if request.get("subtype") != "can_use_tool":
        return ()
    tool, given = str(request.get("tool_name")), as_dict(request.get("input"))
    if tool == TOOL and (parts := tuple(_parts(call, given))):
        return parts
    about, why = _about(tool, given), str(request.get("decision_reason") or "")
    # Its own words for an ordinary question name the tool and the path once more.
    text = why if why and about not in why else f"{tool} needs your permission"
    if tool in _EDITORS and (real := _leads_to(about)):
        text += f" (by a link this is {real})"
    if given.get("dangerouslyDisableSandbox"):
        text += " (outside of its sandbox)"
    permission = QuestionKind.PERMISSION
    lasting = (AnswerChoice(Decision.SESSION),) if _rule(tool, about) else ()
    choices = (AnswerChoice(Decision.ONCE), *lasting, AnswerChoice(Decision.DENY))
    return (_question(call, permission, text, choices=choices, tool=tool, about=about),)


def _parts(call: str, given: Mapping[str, Any]) -> Iterator[Question]:
    for part in map(as_dict, as_list(given.get("questions"))):
        options = map(as_dict, as_list(part.get("options")))
        choices = tuple(
            AnswerChoice(str(one.get("label") or ""), str(one.get("description") or ""))
            for one in options
        )
        several = part.get("multiSelect") is True
        text = str(part.get("question") or "")
        yield _question(call, QuestionKind.QUESTION, text, choices=choices, several=several)


def _question(call: str, kind: QuestionKind, text: str, **more: Any) -> Question:
    return Question("", "", 0, kind, text, 0.0, call=call, **more)


def _about(tool: str, given: Mapping[str, Any]) -> str:
    if tool == _SHELL:
        return str(given.get("command") or "")
    path = next((str(given[name]) for name in _PATHS if given.get(name)), "")
    if path and tool in _EDITORS | _READERS:
        return path
    return json.dumps(given, ensure_ascii=False)  # of others a path is not all that they do


def _leads_to(path: str) -> str:
    """Return where a path leads that has a link in it, else ""."""
    if not path.startswith("/"):
        return ""
    try:
        real = os.path.realpath(path)
    except ValueError:  # no name of a file can be like this
        return ""
    return "" if real == os.path.normpath(path) else real


def response(call: str, request: Mapping[str, Any], answered: Sequence[Question]) -> bytes:
    """Return the control response that gives a call the answers to all that it has asked."""
    inner = _decided(as_dict(request.get("input")), answered)
    outer = {"subtype": "success", "request_id": call, "response": inner}
    return json.dumps({"type": "control_response", "response": outer}).encode() + b"\n"


def _decided(given: Mapping[str, Any], answered: Sequence[Question]) -> Mapping[str, Any]:
    first = answered[0]
    if all(one.decision is Decision.DENY for one in answered):
        said = first.answer or "no"
        return {"behavior": "deny", "message": f"The user has refused this: {said}"}
    if first.kind is QuestionKind.QUESTION:
        answers = {one.text: _said(one) for one in answered}
        return {"behavior": "allow", "updatedInput": {**given, "answers": answers}}
    allow: dict[str, Any] = {"behavior": "allow", "updatedInput": given}
    rule = _rule(first.tool, first.about)
    if first.decision is Decision.SESSION and rule:
        tool, content = rule
        added = {"type": "addRules", "behavior": "allow", "destination": "session"}
        rules = [{"toolName": tool, "ruleContent": content}]
        allow["updatedPermissions"] = [{**added, "rules": rules}]
    return allow


def _said(one: Question) -> str:
    if one.decision is not Decision.DENY:
        return one.answer
    why = f": {one.answer}" if one.answer else ""
    return f"(the user refuses to answer this{why})"


def rules(allowed: Sequence[Question]) -> list[str]:
    """Return what a person has allowed as rules of its settings."""
    found = (_rule(one.tool, one.about) for one in allowed)
    return [f"{rule[0]}({rule[1]})" for rule in found if rule]


def _rule(tool: str, about: str) -> tuple[str, str] | None:
    """Return the rule that allows just this path or command; None: there is none so narrow."""
    if _PATTERN.search(about) or not about or about != about.strip():
        return None
    if tool in _EDITORS and about.startswith("/"):
        # Two slashes: an absolute path. Of a folder, that is all in it.
        folder = about.endswith("/") or os.path.isdir(about)  # noqa: PTH112 (never raises)
        return None if folder else ("Edit", f"/{about}")
    return (_SHELL, about) if tool == _SHELL and not about.endswith(":*") else None
