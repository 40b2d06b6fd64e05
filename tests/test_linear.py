"""What somebody else has written is read in time by its length, whatever is in it."""

import io
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from abreast.agents import AGENTS
from abreast.agents.claude import outcome as claude_outcome
from abreast.agents.claude import records_calls as claude_calls
from abreast.agents.claude import records_events as claude_events
from abreast.agents.codex import failures as codex_failures
from abreast.agents.codex import records_calls as codex_calls
from abreast.agents.codex import records_lines as codex_lines
from abreast.agents.codex import rollout
from abreast.agents.codex import stream as codex_stream
from abreast.agents.gemini import failure as gemini_failure
from abreast.agents.gemini import home as gemini_home
from abreast.agents.gemini import profile as gemini_profile
from abreast.cli import diff_view
from abreast.contract import hollow, judge, render
from abreast.doctor import context as doctor_context
from abreast.engine.client.connect import json_text, proposal
from abreast.engine.working.landing import repair_words, request_body
from abreast.engine.working.session import asking
from abreast.gate import references, texts
from abreast.git import collide_lines, configuration, reflog
from abreast.handoff import commands, masking, page, questions
from abreast.handoff import transcript as handoff_transcript
from abreast.mcp_server import wire
from abreast.mcp_server.wire import Wire
from abreast.model import text as model_text
from abreast.model.limits import Limits
from abreast.model.task import Contract
from abreast.plan import source
from abreast.runner import forbidden
from abreast.runner.dialogue import Dialogue
from abreast.runner.pump import Pump, Watch
from tests.support.hostile import MOST, grows, pumps_of, slow_pumps

Reads = Callable[[str], Any]
NO_COLOURS = dict.fromkeys(("frag", "func", "new", "old", "context", "meta"), "")


def contained(pattern: Any) -> Reads:
    found: Reads = pattern.search
    return found


def answered(name: str) -> Reads:
    """Judge an answer of a preset's shape that has the text in it."""
    value = {
        "text": lambda text: {"text": text},
        "bullets": lambda text: {"bullets": [text, text], "nothing_found": None},
        "paths": lambda text: {"paths": [text], "nothing_found": None},
        "table": lambda text: {"columns": [text], "rows": [[text]], "nothing_found": None},
        "yes-no": lambda text: {"answer": "yes", "why": text},
    }[name]

    def judged(text: str) -> Any:
        said = json.dumps(value(text))
        found = judge.judge(f"Here it is:\n{said}", Contract("?", returns=name))
        return render.paginate(found.items, 500)

    return judged


def of_task(read: Callable[[texts.Texts], Any]) -> Reads:
    return lambda text: read(texts.Texts(text[: texts.MOST], text[: texts.MOST]))


FUNCTIONS: dict[str, tuple[Reads, tuple[ModuleType, ...]]] = {
    "harmless": (model_text.harmless, (model_text,)),
    "shaped": (model_text.shaped, ()),
    "escaped": (lambda text: model_text.escaped(json.dumps(text, ensure_ascii=False)), ()),
    "one line": (model_text.one_line, ()),
    "code spans": (lambda text: list(model_text.code_spans(text)), ()),
    "a mask": (masking.mask, (masking,)),
    "questions": (questions.questions_in, (questions,)),
    "a command": (lambda text: (commands.only_looks(text), commands.only_asks(text)), (commands,)),
    "a command that covers": (lambda text: commands.overtakes(text, text + "x"), (commands,)),
    "a handoff": (lambda text: (page.read_header(text), page.sections(text)), ()),
    "the facts of a handoff": (lambda text: list(page._strange(text, text[:4000])), (page,)),
    "a telling line": (handoff_transcript.telling_line, (handoff_transcript,)),
    "an answer": (judge.find_answer, (judge,)),
    **{
        f"an answer as {name}": (answered(name), (hollow,)) for name in ("text", "bullets", "paths")
    },
    "a question at the end": (contained(asking._MARK), (asking,)),
    "a message of a client": (wire.vet, (wire,)),
    "a failure of claude": (lambda t: claude_outcome.classify({}, "", t), (claude_outcome,)),
    "a failure of codex": (codex_failures.classify, (codex_failures,)),
    "a failure of gemini": (lambda t: gemini_failure.judge_end(1, t), (gemini_failure,)),
    "a command of codex": (codex_lines.sort_command, (codex_lines,)),
    "an output of codex": (lambda t: (rollout.denial(t), codex_lines.printed(t)), (rollout,)),
    "a wrapped command": (lambda t: codex_stream._unwrap(f"bash -lc '{t}'"), (codex_stream,)),
    "a tool's name": (lambda t: claude_calls._OURS.match(f"mcp__{t}"), (claude_calls,)),
    "a reminder": (lambda t: claude_events._REMINDER.sub("", t), (claude_events,)),
    "a command of a person": (claude_events._COMMAND.findall, (claude_events,)),
    "a step of codex": (contained(codex_calls._STEP), (codex_calls,)),
    "a briefing": (gemini_profile._guarded, (gemini_profile,)),
    "variables in a file": (gemini_home._ASSIGNED.findall, (gemini_home,)),
    "settings with comments": (lambda t: gemini_home._STRING_OR_COMMENT.sub("", t), (gemini_home,)),
    "a diff": (lambda t: list(diff_view.coloured(t, NO_COLOURS)), (diff_view,)),
    "a correction": (doctor_context.CORRECTING.match, (doctor_context,)),
    "the end of a line in JSON": (json_text._REST_OF_LINE.match, (json_text,)),
    "JSON to be hidden": (proposal._hide_json, (proposal,)),
    "regions of a conflict": (repair_words._REGION.findall, (repair_words,)),
    "a request's text": (lambda t: request_body.described_anew(t, ""), (request_body,)),
    "names in a task": (of_task(lambda t: (t.paths, t.names, t.introduced)), (texts,)),
    "tasks in a task": (of_task(lambda t: references._names_task(t, "one-two")), (references,)),
    "a key of git": (configuration._KEYS.fullmatch, (configuration,)),
    "a reflog": (lambda t: reflog._ENTRY.match(t.encode("utf-8", "replace")), (reflog,)),
    "hunks": (collide_lines._edits, (collide_lines,)),
    "keys of a plan": (source.key_lines, (source,)),
    "names of files": (lambda t: list(forbidden._names(t)), (forbidden,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_text_takes_time_by_its_length(name: str) -> None:
    function, modules = FUNCTIONS[name]
    assert list(slow_pumps(function, pumps_of(*modules))) == []


def of_claude(number: int) -> Iterator[dict[str, Any]]:
    """Many replies, each with what another model was asked, as calls of tools with files."""
    for n in range(number):
        stated = {"input_tokens": 9, "output_tokens": 9}
        advice = [{"type": "advisor_message", "model": "m", **stated}]
        call = {"type": "tool_use", "id": f"c{n}", "name": "Write", "input": {"file_path": f"{n}"}}
        message = {"id": f"m{n}", "model": "m", "usage": {**stated, "iterations": advice}}
        yield {"type": "assistant", "message": {**message, "content": [call]}, "request_id": f"{n}"}
        result = {"type": "tool_result", "tool_use_id": f"c{n}", "is_error": True, "content": "no"}
        yield {"type": "user", "message": {"content": [result]}}
        yield {"type": "system", "subtype": "permission_denied", "tool_use_id": f"d{n}"}


def of_codex(number: int) -> Iterator[dict[str, Any]]:
    """Many commands that were denied, one of them very long, and many words."""
    yield {"type": "thread.started", "thread_id": "t"}
    for n in range(number):
        item = {"id": f"{n}", "type": "command_execution", "command": f"bash -lc 'a {n}'"}
        yield {"type": "item.started", "item": item}
        told = {"status": "failed", "aggregated_output": "x: read-only file system"}
        yield {"type": "item.completed", "item": {**item, **told}}
        yield {"type": "item.completed", "item": {"type": "agent_message", "text": "said " * 5}}
        yield {"type": "turn.completed", "usage": {}}
    long = {"type": "command_execution", "command": "bash -lc '" + "a" * 100 * number + "'"}
    yield {"type": "item.started", "item": long}


def of_gemini(number: int) -> Iterator[dict[str, Any]]:
    """A reply in many long fragments, and many calls."""
    for _ in range(number):
        yield {"type": "message", "role": "assistant", "content": "said " * 100, "delta": True}
    for n in range(number):
        yield {"type": "error", "severity": "error", "message": f"error {n}"}
        call = {"tool_id": f"c{n}", "tool_name": "write_file", "parameters": {"file_path": f"/{n}"}}
        yield {"type": "tool_use", **call}
        yield {"type": "tool_result", "tool_id": f"c{n}", "status": "error", "output": "no"}


STREAMS = {"claude": of_claude, "codex": of_codex, "gemini": of_gemini}


@pytest.mark.parametrize("agent", STREAMS)
def test_a_stream_takes_time_by_its_length(agent: str, tmp_path: Path) -> None:
    def pump(number: int) -> None:
        lines = b"".join(json.dumps(one).encode() + b"\n" for one in STREAMS[agent](number))
        (folder := tmp_path / secrets.token_hex(4)).mkdir()
        job = Pump(io.BytesIO(lines), folder, AGENTS[agent].reader(), Watch(Limits()))
        job.run()
        assert job.failure is None
        assert job.progress.turns > 0

    assert grows(pump) < MOST


def test_a_client_that_ends_no_line_costs_what_it_sends() -> None:
    def send(number: int) -> None:
        line = Wire.__new__(Wire)
        line._buffer, line._searched = bytearray(), 0
        for _ in range(10 * number):
            line._buffer += b"a" * (wire.LONGEST // 200_000)
            assert line._next() is None
        line._buffer += b"\n{}\n"
        assert [len(line._next() or b"") for _ in range(2)] == [10 * number * 20 + 1, 3]

    assert grows(send, 4_000) < MOST


def test_nobody_is_asked_without_end(tmp_path: Path) -> None:
    """The first questions wait for a person; the rest are refused as they come."""
    reader = AGENTS["claude"].reader()
    dialogue = Dialogue(tmp_path, io.BytesIO(), reader, 10.0)

    def ask(number: int) -> None:
        for n in range(number):
            request = {"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": f"{n}"}}
            line = {"type": "control_request", "request_id": secrets.token_hex(8)}
            for event in reader.feed(json.dumps({**line, "request": request}).encode()):
                dialogue.heard(event)
            if n % 100 == 0:
                dialogue.look()

    assert grows(ask) < MOST
    assert 0 < len(dialogue.asked) <= 500
