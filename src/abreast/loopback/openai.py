"""The OpenAI Responses wire format, with moves rendered as Codex CLI's own tools.

Tools that Codex defers are searched for first, `Call("tool_search", …)`, and then called by their
namespace, `Call("namespace/tool", …)`.
"""

import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from abreast.loopback.dialect import Answer, Dialect, Message, Reply, Request, json_answer
from abreast.model.moves import Call, Edit, Move, Read, Shell, Write
from abreast.process import clock

_ERROR_TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "forbidden"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("server_error", "server_is_overloaded"),
}
_QUOTA_RESETS_SECONDS = 3600
_SEARCH = "tool_search"


class OpenAI:
    """`POST …/responses`, streamed, and the list of models."""

    name = "openai"

    def recognises(self, request: Request) -> bool:
        """Return whether this is a model turn, or the model list as Codex asks for it.

        Anthropic has a `/models` too; Codex tells its version in the query.
        """
        if request.path.endswith("/responses"):
            return True
        return request.path.endswith("/models") and (
            "client_version=" in request.query or "openai" in request.path
        )

    def aside(self, request: Request) -> Answer | None:
        if request.path.endswith("/models"):
            return json_answer(200, {"object": "list", "data": [], "models": []})
        if request.method != "POST":
            # Codex tries a WebSocket first with OpenAI's own provider; this sends it to HTTP.
            return self.error(426, "only POST is served here", "")
        return None

    def conversation(self, request: Request) -> list[Message]:
        """Return messages and tool results; what the developer role says is left out."""
        given = request.body.get("input", [])
        if isinstance(given, str):
            return [Message("user", given)]
        return [message for item in given if (message := _message(item)) is not None]

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        # The items before ours make ids unique within a thread that plays several scenarios.
        place = f"{len(request.body.get('input', ()))}_{reply.number}"
        response = {"id": f"resp_{place}", "object": "response", "model": reply.model}
        yield _event("response.created", response={**response, "status": "in_progress"})
        output = []
        if reply.text:
            output.append(_said(reply.text, place))
        if reply.call is not None:
            output.append(_called(reply.call, _tools(request), place))
        for index, item in enumerate(output):
            yield _event("response.output_item.added", output_index=index, item=_opened(item))
            if item["type"] == "message":
                yield _event(
                    "response.output_text.delta",
                    output_index=index,
                    item_id=item["id"],
                    content_index=0,
                    delta=reply.text,
                )
            yield _event("response.output_item.done", output_index=index, item=item)
        spend = reply.spend
        usage = {
            "input_tokens": spend.input_tokens,
            "input_tokens_details": {"cached_tokens": spend.cached_tokens},
            "output_tokens": spend.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": spend.input_tokens + spend.output_tokens,
        }
        done = {**response, "status": "completed", "output": output, "usage": usage}
        yield _event("response.completed", response=done)

    def error(self, status: int, message: str, code: str) -> Answer:
        """Render an error; beyond the dialect's codes, `billing` is an account without credit."""
        kind, reason = _ERROR_TYPES.get(status, ("server_error", None))
        error: dict[str, Any] = {"message": message, "type": kind, "param": None, "code": reason}
        if code == "quota":
            error["type"] = error["code"] = "usage_limit_reached"
            error["plan_type"] = "plus"
            error["resets_at"] = int(clock.wall()) + _QUOTA_RESETS_SECONDS
        elif code == "billing":
            error["type"] = error["code"] = "insufficient_quota"
        elif code == "overloaded":
            error["code"] = "server_is_overloaded"
        return json_answer(status, {"error": error})


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _message(item: Mapping[str, Any]) -> Message | None:
    kind = item.get("type", "message")
    if kind == "message" and item.get("role") in {"user", "assistant"}:
        return Message(item["role"], _text(item.get("content", "")))
    if kind in {"function_call_output", "custom_tool_call_output", f"{_SEARCH}_output"}:
        return Message("result", _text(item.get("output", "")))
    return None


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return _text(content.get("content", ""))
    return "\n".join(part.get("text", "") for part in content)


def _tools(request: Request) -> dict[str, str]:
    """Return the kind (`function`, `custom`, …) of each tool that the request offers, by name.

    For newer models Codex sends the tools in the conversation, grouped in namespaces.
    """
    offered = list(request.body.get("tools", ()))
    for item in request.body.get("input", ()):
        if isinstance(item, Mapping) and item.get("type") == "additional_tools":
            offered += item.get("tools", ())
    for tool in list(offered):
        offered += tool.get("tools", ())
    return {tool["name"]: tool.get("type", "function") for tool in offered if "name" in tool}


def _said(text: str, place: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "type": "message",
        "id": f"msg_{place}",
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def _called(move: Move, tools: Mapping[str, str], place: str) -> dict[str, Any]:
    name, arguments = _render(move, tools)
    item = {"id": f"item_{place}", "call_id": f"call_{place}", "status": "completed"}
    if isinstance(arguments, str):
        return {**item, "name": name, "type": "custom_tool_call", "input": arguments}
    if name == _SEARCH:
        given = {"arguments": dict(arguments), "execution": "client"}
        return {**item, "type": f"{_SEARCH}_call", **given}
    namespace, slash, name = name.rpartition("/")
    named = {"name": name, "namespace": namespace} if slash else {"name": name}
    return {**item, **named, "type": "function_call", "arguments": json.dumps(dict(arguments))}


def _opened(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as it looks before its content has been streamed."""
    empty = {"content": [], "input": "", "arguments": ""}
    return {**item, "status": "in_progress", **{k: v for k, v in empty.items() if k in item}}


def _render(move: Move, tools: Mapping[str, str]) -> tuple[str, str | Mapping[str, Any]]:
    """Return the tool that does a move, and its arguments: text for a free-form tool."""
    if isinstance(move, Call):
        free = tools.get(move.tool) == "custom" and set(move.arguments) == {"input"}
        return move.tool, str(move.arguments["input"]) if free else move.arguments
    patch = _patch(move)
    name = "apply_patch" if patch and {"apply_patch", "exec"} & set(tools) else "exec_command"
    arguments: str | Mapping[str, Any] = patch if name == "apply_patch" else {"cmd": _command(move)}
    if name not in tools and tools.get("exec") == "custom":
        # Newer models have one tool, which runs JavaScript that calls the others.
        return "exec", f"text(await tools.{name}({json.dumps(arguments)}));"
    if isinstance(arguments, str) and tools[name] != "custom":
        return name, {"input": arguments}
    return name, arguments


def _patch(move: Move) -> str:
    """Return a move as a patch, or nothing: a patch knows whole lines only."""
    match move:
        case Write(path, text) if text.endswith("\n"):
            body = [f"*** Add File: {path}", *(f"+{line}" for line in text[:-1].split("\n"))]
        case Edit(path, old, new) if old.endswith("\n") and new.endswith("\n"):
            out = [f"-{line}" for line in old[:-1].split("\n")]
            body = [f"*** Update File: {path}", "@@", *out]
            body += [f"+{line}" for line in new[:-1].split("\n")]
        case _:
            return ""
    return "\n".join(["*** Begin Patch", *body, "*** End Patch"]) + "\n"


_REPLACE = (
    "import pathlib, sys; p = pathlib.Path(sys.argv[1]); t = p.read_text(); "
    "t.count(sys.argv[2]) == 1 or sys.exit('the old text occurs %d times' % t.count(sys.argv[2])); "
    "p.write_text(t.replace(*sys.argv[2:]))"
)


def _command(move: Move) -> str:
    """Return a move as a shell command."""
    match move:
        case Shell(command):
            return command
        case Read(path):
            return f"cat -- {shlex.quote(path)}"
        case Write(path, text):
            parent = shlex.quote(str(PurePosixPath(path).parent))
            return f"mkdir -p -- {parent} && printf %s {shlex.quote(text)} > {shlex.quote(path)}"
        case Edit(path, old, new):
            return shlex.join([sys.executable, "-c", _REPLACE, path, old, new])
        case _:
            raise ValueError(f"no tool does {move!r}")


DIALECT: Dialect = OpenAI()
