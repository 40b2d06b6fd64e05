"""A rollout as neutral events, line by line."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from abreast.agents.codex.records_calls import (
    CALLS,
    OUTPUTS,
    SCRIPT,
    Open,
    called,
    identity,
    item_called,
    item_child,
    item_code,
    item_failed,
    item_refused,
    item_text,
    planned,
    returned,
)
from abreast.agents.codex.records_lines import RolloutLine, load_record
from abreast.agents.codex.records_spending import Spending
from abreast.agents.recorded import as_dict, as_text, cut
from abreast.model.transcript import (
    Begun,
    Broken,
    Called,
    Compacted,
    Planned,
    Returned,
    Said,
    TranscriptEvent,
)

_KINDS = frozenset(
    {
        *("session_meta", "turn_context", "world_state", "response_item", "event_msg"),
        *("token_usage_record", "compacted", "inter_agent_communication_metadata"),
        *("inter_agent_communication", "thread_meta", "ghost_snapshot"),
    }
)
_OPEN_AT_MOST = 1000  # calls without an output that are remembered
_LETTER = "\nPayload:\n"  # stands between a message's header and its words


class Events:
    """One pass over one rollout. `skipped` counts lines that were not understood."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = ""
        self._spending = Spending(path, copies=True)
        self._unknown = 0
        self._open: dict[str, Open] = {}
        self._agents: dict[str, str] = {}  # sessions of sub-agents, by the names they write under
        self._said = ("", False, "")  # in which words, by the user, what
        self._broken = ""
        self._child = False
        self._from = -1  # the ordinal at which its own history begins

    @property
    def skipped(self) -> int:
        return self._unknown + self._spending.skipped

    @property
    def warnings(self) -> list[str]:
        return self._spending.warnings

    def feed(self, line: bytes) -> Iterable[TranscriptEvent]:
        """Return what a line tells. Never raises."""
        if not line.strip():
            return ()
        record = load_record(line)
        if record is None:
            self._spending.tear(line)
            return ()
        if record.kind not in _KINDS:
            self._unknown += 1
        return [*self._spending.take(record), *self._told(record)]

    def _told(self, record: RolloutLine) -> Iterator[TranscriptEvent]:
        payload = record.payload
        if 0 <= record.ordinal < self._from:  # the parent's, which a sub-agent has a copy of
            return
        match record.kind, payload.get("type"):
            case "session_meta", _ if not self.session:
                yield self._begins(record)
            case "response_item", "agent_message":
                yield from self._heard(record)
            case "response_item", str(kind) if kind in CALLS:
                yield from self._called(record)
            case "response_item", str(kind) if kind in OUTPUTS:
                yield self._returned(record)
            case "compacted", _:
                yield Compacted(record.at)
            case "event_msg", str(kind):
                yield from self._happened(record, kind)

    def _begins(self, record: RolloutLine) -> Begun:
        begun = begun_by(record.payload, record.at)
        own = record.payload.get("subagent_history_start_ordinal")
        self.session, self._child = begun.session, bool(begun.parent)
        self._from = own if type(own) is int else -1
        return begun

    def _heard(self, record: RolloutLine) -> Iterator[Returned | Said]:
        """Yield what another agent has written to this one: a sub-agent's answer, or its task."""
        payload, text = record.payload, _content(record.payload)
        words = text.partition(_LETTER)[2].strip() or text
        if child := self._agents.get(str(payload.get("author"))):
            yield Returned(
                record.at, identity(payload), size=len(words), text=cut(words), child=child
            )
        elif self._child:
            yield from self._says(record.at, "item", by_user=True, text=words)

    def _called(self, record: RolloutLine) -> Iterator[Called | Planned]:
        call = called(record.at, record.payload)
        script = record.payload.get("type") == "custom_tool_call" and call.name == SCRIPT
        while len(self._open) >= _OPEN_AT_MOST:
            del self._open[next(iter(self._open))]
        self._open[call.id] = Open(call.kind, script)
        yield call
        plans = call.name == "update_plan" or script
        if plans and (plan := planned(record.at, record.payload)):
            yield plan

    def _returned(self, record: RolloutLine) -> Returned:
        return returned(record.at, record.payload, self._open.pop(identity(record.payload), None))

    def _happened(self, record: RolloutLine, kind: str) -> Iterator[TranscriptEvent]:
        payload = record.payload
        match kind:
            case "item_completed":
                yield from self._completed(record, as_dict(payload.get("item")))
            case "user_message" | "agent_message":
                text = payload.get("message")
                yield from self._says(record.at, kind, kind == "user_message", str(text or ""))
            case "task_started" | "turn_started":
                self._said, self._broken = ("", False, ""), ""
            case "task_complete" | "turn_complete":
                error = payload.get("error")
                told = error.get("message") if isinstance(error, Mapping) else error
                yield from self._breaks(record.at, told)
            case "turn_aborted":
                yield from self._breaks(record.at, payload.get("reason") or "aborted")
            case "error":
                yield from self._breaks(record.at, payload.get("message"))

    def _completed(self, record: RolloutLine, item: Mapping[str, Any]) -> Iterator[TranscriptEvent]:
        kind, opened = as_text(item.get("type")), self._open.get(str(item.get("id")))
        if kind == "SubAgentActivity" and len(self._agents) < _OPEN_AT_MOST:
            self._agents[str(item.get("agent_path"))] = item_child(item)
        if kind in {"UserMessage", "AgentMessage"}:
            yield from self._says(record.at, "item", kind == "UserMessage", _content(item))
        elif opened is not None:
            opened.code, opened.failed = item_code(item), item_failed(item)
            opened.refused, opened.child = item_refused(item), item_child(item)
        elif (nested := item_called(record.at, item)) is not None:
            yield from self._nested(nested, item)

    def _nested(
        self, nested: tuple[Called, Returned], item: Mapping[str, Any]
    ) -> Iterator[Called | Returned]:
        """Yield a call that a script made; or the late end of a command that went on by itself.

        What it printed is told with it, and taken off what the script returned.
        """
        call, result = nested
        script = next((one for one in self._open.values() if one.script), None)
        if script is not None or call.id.startswith("exec-"):
            yield call
        if script is not None:
            script.inner += len(item_text(item))
        yield result

    def _says(self, at: float, words: str, by_user: bool, text: str) -> Iterator[Said]:
        """Yield what was said, unless another record has just told the same."""
        before, self._said = self._said, (words, by_user, text)
        repeated = before[1:] == (by_user, text) and before[0] not in {"", words}
        if text.strip() and not repeated:
            yield Said(at, by_user, cut(text))

    def _breaks(self, at: float, reason: Any) -> Iterator[Broken]:
        if reason and str(reason) != self._broken:
            self._broken = str(reason)
            yield Broken(at, cut(self._broken))


def introduces(line: bytes, told: Begun) -> bool:  # noqa: ARG001
    """Return whether a line may say which session was copied into the file."""
    return b'"session_meta"' in line or rb"\u00" in line


def begun_by(meta: Mapping[str, Any], at: float = 0.0) -> Begun:
    """Return the beginning that a `session_meta` tells of."""
    git, source = as_dict(meta.get("git")), as_dict(meta.get("source"))
    spawn = as_dict(as_dict(source.get("subagent")).get("thread_spawn"))
    return Begun(
        at=at,
        session=as_text(meta.get("id")),
        cwd=as_text(meta.get("cwd")),
        branch=as_text(git.get("branch")),
        version=as_text(meta.get("cli_version")),
        parent=as_text(meta.get("parent_thread_id") or spawn.get("parent_thread_id")),
        forked_from=as_text(meta.get("forked_from_id")),
    )


def _content(item: Mapping[str, Any]) -> str:
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    told = [part for part in parts if isinstance(part, Mapping)]
    texts = (part.get("text") or part.get("encrypted_content") for part in told)
    return "\n".join(text for text in texts if isinstance(text, str))
