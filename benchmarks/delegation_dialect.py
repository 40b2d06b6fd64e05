"""OpenAI's wire format with the tools that Codex defers: searched for, then called by namespace.

A move calls them as `Call("tool_search", …)` and `Call("namespace/tool", …)`; `$AGENT` in its
arguments stands for the subagent that was started last.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from abreast.loopback.dialect import Message, Reply, Request
from abreast.loopback.openai import OpenAI
from abreast.model.moves import Call

SEARCH = "tool_search"
_AGENT = re.compile(r'"agent_id":\s*"([^"]+)"')


class Deferring(OpenAI):
    """What the loopback server's own dialect leaves out."""

    def conversation(self, request: Request) -> list[Message]:
        items = request.body.get("input", [])
        given = items if isinstance(items, str) else [_found(item) for item in items]
        return super().conversation(replace(request, body={**request.body, "input": given}))

    def stream(self, request: Request, reply: Reply) -> Iterator[bytes]:
        if isinstance(reply.call, Call):
            call = replace(reply.call, arguments=_filled(reply.call.arguments, request))
            reply = replace(reply, call=call)
        for chunk in super().stream(request, reply):
            head, _, data = chunk.decode().rstrip("\n").partition("\ndata: ")
            event = json.loads(data)
            if "item" in event:
                event["item"] = _deferred(event["item"])
            if "output" in event.get("response", {}):
                event["response"]["output"] = [_deferred(i) for i in event["response"]["output"]]
            yield f"{head}\ndata: {json.dumps(event)}\n\n".encode()


def _found(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A search has been answered: that is the result of a tool like any other."""
    if item.get("type") == f"{SEARCH}_output":
        return {"type": "function_call_output", "output": ""}
    return item


def _filled(arguments: Mapping[str, Any], request: Request) -> Mapping[str, Any]:
    told = [str(item.get("output", "")) for item in request.body.get("input", ())]
    known = [name for text in told for name in _AGENT.findall(text)]
    text = json.dumps(dict(arguments)).replace("$AGENT", known[-1] if known else "")
    filled: dict[str, Any] = json.loads(text)
    return filled


def _deferred(item: dict[str, Any]) -> dict[str, Any]:
    if item["type"] != "function_call":
        return item
    if item["name"] == SEARCH:
        given = {"arguments": json.loads(item["arguments"] or "{}"), "execution": "client"}
        kept = {name: value for name, value in item.items() if name != "name"}
        return {**kept, "type": f"{SEARCH}_call", **given}
    namespace, slash, name = item["name"].rpartition("/")
    return {**item, "name": name, "namespace": namespace} if slash else item


DEFERRED = Deferring()
