"""The Anthropic Messages wire format, with moves rendered as Claude Code's own tools."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from abreast.loopback.dialect import Answer, Message, Reply, Request
from abreast.model.moves import Call, Edit, Move, Read, Shell, Spend, Write

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_NO_CREDIT = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"
)
_CWD = re.compile(r"^[ \t-]*(?:Primary )?[Ww]orking directory: (/[^\n]*)$", re.MULTILINE)
_REMINDER = re.compile(r"<system-reminder>.*?</system-reminder>\s*", re.DOTALL)

Block = Mapping[str, Any]


class AnthropicDialect:
    """Speaks as api.anthropic.com does; keeps no state, so that any number of CLIs may ask."""

    name = "anthropic"

    def recognises(self, request: Request) -> bool:
        if request.path.startswith("/v1/messages"):
            return True
        if request.path.startswith("/v1/models"):
            return "anthropic-version" in request.headers
        return request.path == "/" and request.method == "HEAD"

    def aside(self, request: Request) -> Answer | None:
        if request.path == "/v1/messages":
            streamed = request.body.get("stream") is True
            return None if streamed else self.error(400, "only streamed requests are played", "")
        if request.path == "/v1/messages/count_tokens":
            return _json(200, {"input_tokens": max(1, len(json.dumps(request.body)) // 4)})
        if request.path.startswith("/v1/models") and request.method == "GET":
            return _json(200, {"data": [], "has_more": False, "first_id": None, "last_id": None})
        if request.method == "HEAD":
            return Answer(200)
        return self.error(404, f"no such path: {request.path}", "")

    def conversation(self, request: Request) -> list[Message]:
        """Return the conversation; the results of one reply's calls are one message.

        What Claude Code adds for the model alone (`<system-reminder>`) is left out.
        """
        said: list[Message] = []
        for message in request.body.get("messages", ()):
            said.extend(_messages(message))
        return said

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        model = str(request.body.get("model") or reply.model)
        blocks = [*_text(reply), *_calls(request, reply)]
        yield _event(
            "message_start",
            message={
                "id": f"msg_scripted_{_thread(request)}_{reply.number:04d}",
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": _usage(reply.spend, output=1),
            },
        )
        for index, block in enumerate(blocks):
            yield from _block(index, block)
        yield _event(
            "message_delta",
            delta={"stop_reason": "tool_use" if reply.call else "end_turn", "stop_sequence": None},
            usage=_usage(reply.spend, output=reply.spend.output_tokens),
        )
        yield _event("message_stop")

    def error(self, status: int, message: str, code: str) -> Answer:
        kind = "overloaded_error" if code == "overloaded" else _ERROR_TYPES.get(status, "api_error")
        said = f"{_NO_CREDIT}: {message}" if code == "quota" and status != 429 else message
        error = {"type": "error", "error": {"type": kind, "message": said}}
        return _json(status, error | {"request_id": "req_scripted"})


DIALECT = AnthropicDialect()


def _messages(message: Block) -> Iterator[Message]:
    content = message.get("content", "")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    results = [_plain(b.get("content", "")) for b in blocks if b.get("type") == "tool_result"]
    if results:
        yield Message("result", "\n".join(results))
    texts = [str(b.get("text", "")) for b in blocks if b.get("type") == "text"]
    if message.get("role") == "assistant":
        yield Message("assistant", "\n".join(texts))
    elif message.get("role") == "user":
        for text in texts:
            if left := _REMINDER.sub("", text).strip():
                yield Message("user", left)


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(b.get("text", "")) for b in content if b.get("type") == "text")


def _text(reply: Reply) -> list[dict[str, Any]]:
    # An empty text block is refused when the CLI sends it back.
    if not reply.text and reply.call:
        return []
    return [{"type": "text", "text": reply.text or "(nothing)"}]


def _calls(request: Request, reply: Reply) -> list[dict[str, Any]]:
    if reply.call is None:
        return []
    wanted = _tool(reply.call, _cwd(request))
    calls = [wanted]
    # Claude Code refuses to edit what it has not read in this session.
    path = wanted[1].get("file_path")
    if isinstance(reply.call, Edit) and path not in _seen(request):
        calls.insert(0, ("Read", {"file_path": path}))
    stem = f"toolu_scripted_{_thread(request)}_{reply.number:04d}"
    return [
        {"type": "tool_use", "id": f"{stem}_{index}", "name": name, "input": arguments}
        for index, (name, arguments) in enumerate(calls)
    ]


def _tool(move: Move, cwd: PurePosixPath) -> tuple[str, dict[str, Any]]:
    match move:
        case Write(path, text):
            return "Write", {"file_path": str(cwd / path), "content": text}
        case Edit(path, old, new):
            arguments = {"old_string": old, "new_string": new}
            return "Edit", {"file_path": str(cwd / path), **arguments}
        case Read(path):
            return "Read", {"file_path": str(cwd / path)}
        case Shell(command):
            return "Bash", {"command": command, "description": "Run a scripted command"}
        case Call(tool, arguments):
            return tool, dict(arguments)
    raise TypeError(f"no tool of Claude Code stands for {move}")


def _cwd(request: Request) -> PurePosixPath:
    """Return the working directory that the CLI tells the model, where it tells one."""
    found = _CWD.search(_plain(request.body.get("system", "")))
    for message in request.body.get("messages", ()):
        if found:
            break
        found = _CWD.search(_plain(message.get("content", "")))
    return PurePosixPath(found.group(1) if found else ".")


def _seen(request: Request) -> set[str]:
    """Return the files that this conversation has read, edited or written."""
    return {
        str(block["input"].get("file_path"))
        for message in request.body.get("messages", ())
        if message.get("role") == "assistant" and not isinstance(message["content"], str)
        for block in message["content"]
        if block.get("type") == "tool_use" and block.get("name") in {"Read", "Edit", "Write"}
    }


def _thread(request: Request) -> str:
    """Return what keeps ids apart between conversations: ledgers count a repeated id once.

    Only the same conversation of the same session (a retry) gets the same ids again.
    """
    session = request.headers.get("x-claude-code-session-id", "")
    said = json.dumps(request.body.get("messages", ()))
    return hashlib.sha256(f"{session}\n{said}".encode()).hexdigest()[:12]


def _usage(spend: Spend, *, output: int) -> dict[str, int]:
    return {
        "input_tokens": spend.input_tokens - spend.cached_tokens - spend.written_tokens,
        "cache_creation_input_tokens": spend.written_tokens,
        "cache_read_input_tokens": spend.cached_tokens,
        "output_tokens": output,
    }


def _block(index: int, block: Mapping[str, Any]) -> Iterator[bytes]:
    if block["type"] == "text":
        empty: dict[str, Any] = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": block["text"]}
    else:
        empty = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield _event("content_block_start", index=index, content_block=empty)
    yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _event(kind: str, **data: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    headers = {"content-type": "application/json", "request-id": "req_scripted"}
    return Answer(status, headers, json.dumps(body).encode())
