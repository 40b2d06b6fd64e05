"""The Gemini streamGenerateContent wire format, with moves rendered as Gemini CLI's own tools."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from abreast.loopback.dialect import Answer, Message, Reply, Request, json_answer
from abreast.model.moves import Call, Edit, Move, Read, Shell, Spend, Write

_METHOD = re.compile(r"^/v1(?:beta|beta1)?/(?:[\w.@-]+/)*models/(?P<model>[^/:]+):(?P<verb>\w+)$")
_LIST = re.compile(r"^/v1beta1?/(?:[\w.@-]+/)*models(?:/[^/:]+)?$")
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPE = "type.googleapis.com/google.rpc."

# What the CLI asks aside of the conversation, in JSON: which model should answer (its router), who
# speaks next, whether the model turns in circles. One object answers all three.
_UTILITY = {
    "reasoning": "scripted",
    "model_choice": "flash",
    "complexity_score": 1,
    "complexity_reasoning": "scripted",
    "next_speaker": "user",
    "unproductive_state_analysis": "scripted",
    "unproductive_state_confidence": 0.0,
}


class GeminiDialect:
    """Speaks as generativelanguage.googleapis.com does, and Vertex AI; keeps no state.

    Utility calls (the router and its like) are answered aside and state no tokens, so that the
    totals of a session are those of its scenario.
    """

    name = "gemini"

    def recognises(self, request: Request) -> bool:
        return bool(_METHOD.match(request.path) or _LIST.match(request.path))

    def aside(self, request: Request) -> Answer | None:
        verb = _verb(request)
        if verb == "streamGenerateContent":
            return None
        if verb == "generateContent":
            parts = [{"text": json.dumps(_UTILITY)}]
            return json_answer(200, _response(request, parts, "STOP", Spend(0, 0, 0)))
        if verb == "countTokens":
            return json_answer(200, {"totalTokens": max(1, len(json.dumps(request.body)) // 4)})
        if not verb and request.method == "GET":
            return json_answer(200, {"models": []})
        return self.error(404, f"no such method: {request.path}", "")

    def conversation(self, request: Request) -> list[Message]:
        """Return the conversation; the results of one reply's calls are one message."""
        said: list[Message] = []
        for content in request.body.get("contents", ()):
            said.extend(_messages(content))
        return said

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        model = reply.model if reply.model != "scripted" else ""
        parts: list[dict[str, Any]] = [{"text": reply.text}] if reply.text else []
        if reply.call is not None:
            name, arguments = _tool(reply.call)
            parts.append({"functionCall": {"name": name, "args": arguments}})
        for part in parts:
            yield _event(_response(request, [part], model=model))
        yield _event(_response(request, [{"text": ""}], "STOP", reply.spend, model=model))

    def error(self, status: int, message: str, code: str) -> Answer:
        error = {
            "code": status,
            "message": message,
            "status": _STATUS.get(status, "UNKNOWN"),
            "details": _details(status, code),
        }
        return json_answer(status, {"error": error})


DIALECT = GeminiDialect()


def _verb(request: Request) -> str:
    found = _METHOD.match(request.path)
    return found["verb"] if found else ""


def _messages(content: Mapping[str, Any]) -> Iterator[Message]:
    parts = content.get("parts", ())
    results = [_result(p["functionResponse"]) for p in parts if "functionResponse" in p]
    if results:
        yield Message("result", "\n".join(results))
    role = "assistant" if content.get("role") == "model" else "user"
    for part in parts:
        if part.get("text") and not part.get("thought"):
            yield Message(role, str(part["text"]))


def _result(answer: Mapping[str, Any]) -> str:
    response = answer.get("response", {})
    for key in ("output", "error"):
        if isinstance(response.get(key), str):
            return str(response[key])
    return json.dumps(response)


def _tool(move: Move) -> tuple[str, dict[str, Any]]:
    match move:
        case Write(path, text):
            return "write_file", {"file_path": path, "content": text}
        case Edit(path, old, new):
            change = {"old_string": old, "new_string": new, "instruction": "Make a scripted edit"}
            return "replace", {"file_path": path, **change}
        case Read(path):
            return "read_file", {"file_path": path}
        case Shell(command):
            return "run_shell_command", {"command": command, "description": "a scripted command"}
        case Call(tool, arguments):
            return tool, dict(arguments)
    raise TypeError(f"no tool of Gemini CLI stands for {move}")


def _response(
    request: Request,
    parts: list[dict[str, Any]],
    finish: str = "",
    spend: Spend | None = None,
    *,
    model: str = "",
) -> dict[str, Any]:
    found = _METHOD.match(request.path)
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    response: dict[str, Any] = {
        "candidates": [candidate],
        "modelVersion": model or (found["model"] if found else "scripted"),
        "responseId": "scripted",
    }
    if finish:
        candidate["finishReason"] = finish
    if spend is not None:
        response["usageMetadata"] = _usage(spend)
    return response


def _usage(spend: Spend) -> dict[str, int]:
    """Return the counts as Google gives them: cached tokens in the prompt, thoughts apart."""
    thoughts = spend.output_tokens // 5
    return {
        "promptTokenCount": spend.input_tokens,
        "cachedContentTokenCount": spend.cached_tokens,
        "candidatesTokenCount": spend.output_tokens - thoughts,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": spend.input_tokens + spend.output_tokens,
    }


def _details(status: int, code: str) -> list[dict[str, Any]]:
    if status == 429 and code == "quota":
        per_day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
        violation = {"quotaMetric": "generate_content_requests", "quotaId": per_day}
        return [{"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}]
    if status == 429:
        return [{"@type": f"{_TYPE}RetryInfo", "retryDelay": "1s"}]
    return []


def _event(response: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(response)}\r\n\r\n".encode()
