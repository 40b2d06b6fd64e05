"""The lines of transcripts, key by key as Claude Code, Codex and Gemini CLI write them."""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

WORK = "/home/ada/shop"


@dataclass(frozen=True)
class Request:
    """What one model request used: `prompt` is all of it, `cached` and `written` parts of it."""

    at: float
    model: str
    prompt: int
    cached: int
    written: int
    output: int
    thoughts: int


class Prose:
    """Text by the kilobyte, escaped as it stands in JSON."""

    def __init__(self, chance: random.Random) -> None:
        sizes = [chance.randint(2, 9) for _ in range(900)]
        words = ["".join(chance.choices("etaoinshrdlu", k=size)) for size in sizes]
        self._chance = chance
        self._lines: list[str] = []
        for _ in range(20_000):
            line = " ".join(chance.choices(words, k=chance.randint(1, 14)))
            kind = chance.random()
            line = f'    "{line}"' if kind < 0.3 else f"\t{line}\\" if kind < 0.35 else line
            self._lines.append(json.dumps(line)[1:-1])

    def text(self, size: int) -> str:
        """Return about so many characters."""
        count = max(1, size // 42)
        start = self._chance.randrange(max(1, len(self._lines) - count))
        return "\\n".join(self._lines[start : start + count])

    def output(self) -> str:
        """Return what a tool returns: 3,000 characters in the middle, 6,000 on average."""
        return self.text(min(60_000, int(self._chance.lognormvariate(8.0, 1.15))))


@dataclass(frozen=True)
class Pen:
    """What a line takes that does not matter."""

    chance: random.Random
    prose: Prose

    def uuid(self) -> str:
        digits = f"{self.chance.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def claude(pen: Pen, name: str, parent: str, requests: Sequence[Request]) -> Iterator[str]:
    whose = parent or name
    side = "true" if parent else "false"
    agent = f'"agentId":"{name}",' if parent else ""
    tail = (
        f'"userType":"external","entrypoint":"cli","cwd":"{WORK}","sessionId":"{whose}",'
        '"version":"2.1.330","gitBranch":"main"}'
    )
    above = "null"
    for number, one in enumerate(requests):
        stamp, prompt = stamp_of(one.at), pen.uuid()
        begin = f'{{"parentUuid":{above},"isSidechain":{side},'
        this = pen.uuid()
        ask = pen.uuid()
        if number % 12 == 0:
            yield (
                f'{begin}"promptId":"{prompt}",{agent}"type":"user","message":{{"role":"user",'
                f'"content":"{pen.prose.text(300)}"}},"uuid":"{this}","timestamp":"{stamp}",'
                f'"permissionMode":"acceptEdits",{tail}'
            )
            begin = f'{{"parentUuid":"{this}","isSidechain":{side},'
            this = pen.uuid()
        if not parent:
            digest = hashlib.sha256(ask.encode()).hexdigest()
            yield (
                f'{{"type":"api-request","sessionId":"{whose}","id":"{ask}","timestamp":'
                f'"{stamp}","version":"2.1.330","querySource":"repl_main_thread","shapeHash":'
                f'"{digest[:40]}…","params":{{"model":"{one.model}","betas":'
                '["claude-code-20250219"],"max_tokens":128000,"thinking":{"type":"adaptive",'
                '"display":"updates"},"context_management":{"edits":[{"type":'
                '"clear_thinking_20251015","keep":"all"}]},"output_config":{"effort":"medium"'
                f'}}}},"keep":{2 * number},"tail":["{digest[:40]}…"],"cacheControl":'
                f'[{{"path":["system"],"value":{{"type":"ephemeral"}}}}]}}'
            )
        tool = f"toolu_01{name[:8]}{number:06d}"
        message = f"msg_01{name[:13]}{number:07d}"
        parts = [
            f'{{"type":"text","text":"{pen.prose.text(pen.chance.randint(40, 500))}"}}',
            (
                f'{{"type":"tool_use","id":"{tool}","name":"Bash","input":{{"command":'
                f'"{pen.prose.text(pen.chance.randint(40, 900))}","description":"Run it"}}}}'
            ),
        ]
        if one.thoughts:
            sign = "Ev" + hashlib.sha256(this.encode()).hexdigest() * 6
            parts.insert(0, f'{{"type":"thinking","thinking":"","signature":"{sign}"}}')
        for place, part in enumerate(parts):
            yield (
                f'{begin}"message":{{"id":"{message}","type":"message","role":"assistant",'
                f'"model":"{one.model}","content":[{part}],"stop_reason":"tool_use",'
                f'"stop_sequence":null,"usage":{{"input_tokens":'
                f'{one.prompt - one.cached - one.written},"cache_creation_input_tokens":'
                f'{one.written},"cache_read_input_tokens":{one.cached},"output_tokens":'
                f'{one.output},"output_tokens_details":{{"thinking_tokens":{one.thoughts}}},'
                '"server_tool_use":{"web_search_requests":0,"web_fetch_requests":0},'
                '"service_tier":"standard","cache_creation":{"ephemeral_1h_input_tokens":0,'
                f'"ephemeral_5m_input_tokens":{one.written}}},"inference_geo":"","iterations":'
                '[],"speed":"standard","fallback_credit":null},"stop_details":null},'
                f'"apiBlockIndex":{place},"requestId":"req_{ask[:8]}{number:06d}",'
                f'"requestRef":"{ask}","requestedModel":"{one.model}",'
                f'{agent}"type":"assistant","uuid":"{this}","timestamp":"{stamp}",'
                f'"effort":"medium","madeBy":"model",{tail}'
            )
            begin = f'{{"parentUuid":"{this}","isSidechain":{side},'
            last, this = this, pen.uuid()
        said = pen.prose.output()
        yield (
            f'{begin}"promptId":"{prompt}",{agent}"type":"user","message":{{"role":"user",'
            f'"content":[{{"tool_use_id":"{tool}","type":"tool_result","content":"{said}",'
            f'"is_error":false}}]}},"uuid":"{this}","timestamp":"{stamp_of(one.at + 1)}",'
            f'"toolUseResult":{{"stdout":"{said}","stderr":"","interrupted":false,"isImage":'
            f'false,"noOutputExpected":false}},"sourceToolAssistantUUID":"{last}",{tail}'
        )
        above = f'"{this}"'


def codex(pen: Pen, name: str, _parent: str, requests: Sequence[Request]) -> Iterator[str]:
    ordinal = 0

    def line(at: float, kind: str, payload: str) -> str:
        nonlocal ordinal
        ordinal += 1
        return (
            f'{{"timestamp":"{stamp_of(at)}","ordinal":{ordinal - 1},"type":"{kind}",'
            f'"payload":{{{payload}}}}}'
        )

    began = requests[0].at - 1
    yield line(
        began,
        "session_meta",
        f'"session_id":"{name}","id":"{name}","timestamp":"{stamp_of(began)}","cwd":"{WORK}",'
        '"originator":"codex_cli","cli_version":"0.169.0","source":"cli","thread_source":'
        '"user","model_provider":"openai","base_instructions":{"text":"'
        f'{pen.prose.text(14_000)}"}},"git":{{"commit_hash":"{"0" * 40}","branch":"main"}}',
    )
    turn = pen.uuid()
    totals = (0, 0, 0, 0)
    for number, one in enumerate(requests):
        if number % 12 == 0:
            turn = pen.uuid()
            yield line(
                one.at - 0.9,
                "turn_context",
                f'"turn_id":"{turn}","cwd":"{WORK}","approval_policy":"never","model":'
                f'"{one.model}","summary":"none","sandbox_policy":{{"type":'
                '"workspace-write","network_access":false}',
            )
            yield line(
                one.at - 0.8,
                "event_msg",
                f'"type":"user_message","message":"{pen.prose.text(300)}","images":[]',
            )
        call = f"call_{name[:8]}_{number}"
        passed = f'"internal_chat_message_metadata_passthrough":{{"turn_id":"{turn}"}}'
        meta = f'"metadata":{{"history_sequence":{2 * number},"client_authored":false}}'
        secret = hashlib.sha256(call.encode()).hexdigest() * pen.chance.randint(6, 40)
        yield line(
            one.at,
            "response_item",
            f'"type":"reasoning","summary":[],"encrypted_content":"gAAAA{secret}",{passed}',
        ).replace("}}}", f"}}}},{meta}}}", 1)
        command = pen.prose.text(pen.chance.randint(40, 900)).replace("\\", "\\\\")
        command = command.replace('\\\\"', '\\\\\\"')
        yield line(
            one.at,
            "response_item",
            f'"type":"function_call","status":"completed","id":"item_{number}","name":'
            f'"exec_command","arguments":"{{\\"cmd\\": \\"{command}\\"}}","call_id":"{call}",'
            f"{passed}",
        )
        uncached = (one.prompt, one.cached, one.output, one.thoughts)
        totals = tuple(a + b for a, b in zip(totals, uncached, strict=True))
        yield line(
            one.at,
            "token_usage_record",
            f'"thread_id":"{name}","turn_id":"{turn}","session_id":"{name}","root_turn_id":'
            f'"{turn}","response_id":"resp_{name}_{number}","usage":{_counts(uncached)},'
            f'"turn_token_usage":{_counts(totals)},"thread_token_usage":{_counts(totals)}',
        )
        said = pen.prose.output()
        yield line(
            one.at + 1,
            "event_msg",
            f'"type":"item_completed","thread_id":"{name}","turn_id":"{turn}","item":{{"type":'
            f'"CommandExecution","id":"{call}","command":"bash -lc x","cwd":"{WORK}",'
            f'"status":"completed","exit_code":0,"aggregated_output":"{said}"}}',
        )
        yield line(
            one.at + 1,
            "response_item",
            f'"type":"function_call_output","id":"fco_{pen.uuid()}","call_id":"{call}",'
            '"output":"Chunk ID: 0038df\\nWall time: 0.1 seconds\\nProcess exited with code 0'
            f'\\nOriginal token count: {len(said) // 4}\\nOutput:\\n{said}",{passed}',
        )
        yield line(
            one.at + 1,
            "event_msg",
            f'"type":"token_count","info":{{"total_token_usage":{_counts(totals)},'
            f'"last_token_usage":{_counts(uncached)},"last_usage_includes_reasoning":false,'
            '"model_context_window":258400},"rate_limits":{"limit_id":"codex","limit_name":'
            'null,"primary":{"used_percent":12.0,"window_minutes":300,"resets_at":1795375582},'
            '"secondary":null,"credits":null,"individual_limit":null,'
            '"spend_control_reached":null,"plan_type":"plus","rate_limit_reached_type":null}',
        )


def gemini(pen: Pen, name: str, parent: str, requests: Sequence[Request]) -> Iterator[str]:
    digest = hashlib.sha256(WORK.encode()).hexdigest()
    kind = "subagent" if parent else "main"
    yield (
        f'{{"sessionId":"{name}","projectHash":"{digest}","startTime":'
        f'"{stamp_of(requests[0].at)}","lastUpdated":"{stamp_of(requests[0].at)}","kind":"{kind}",'
        f'"directories":["{WORK}"]}}'
    )
    for number, one in enumerate(requests):
        stamp, this = stamp_of(one.at), pen.uuid()
        update = f'{{"$set":{{"lastUpdated":"{stamp}"}}}}'
        if number % 12 == 0:
            yield (
                f'{{"id":"{pen.uuid()}","timestamp":"{stamp}","type":"user","content":'
                f'[{{"text":"{pen.prose.text(300)}"}}]}}'
            )
            yield update
        said = one.output - one.thoughts
        head = (
            f'{{"id":"{this}","timestamp":"{stamp}","type":"gemini","content":'
            f'"{pen.prose.text(pen.chance.randint(40, 500))}","thoughts":[],"tokens":'
            f'{{"input":{one.prompt},"output":{said},"cached":{one.cached},"thoughts":'
            f'{one.thoughts},"tool":0,"total":{one.prompt + one.output}}},"model":"{one.model}"'
        )
        yield head + "}"
        yield update
        call, text = f"run_shell_command_{this[:13]}_0", pen.prose.output()
        response = (
            f'{{"functionResponse":{{"id":"{call}","name":"run_shell_command","response":'
            f'{{"output":"<untrusted_context>\\nOutput: {text}\\n</untrusted_context>"}}}}}}'
        )
        yield (
            f'{head},"toolCalls":[{{"id":"{call}","name":"run_shell_command","args":{{"command"'
            f':"{pen.prose.text(pen.chance.randint(40, 900))}"}},"result":[{response}],'
            f'"status":"success","timestamp":"{stamp_of(one.at + 1)}","resultDisplay":"{text}",'
            '"description":"a command","displayName":"Shell","renderOutputAsMarkdown":true}]}'
        )
        yield (
            f'{{"id":"{pen.uuid()}","timestamp":"{stamp_of(one.at + 1)}","type":"user",'
            f'"content":[{response}]}}'
        )
        yield update


def _counts(counts: tuple[int, ...]) -> str:
    prompt, cached, output, thoughts = counts
    return (
        f'{{"input_tokens":{prompt},"cached_input_tokens":{cached},"cache_write_input_tokens":0,'
        f'"output_tokens":{output},"reasoning_output_tokens":{thoughts},'
        f'"total_tokens":{prompt + output}}}'
    )


def stamp_of(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at * 1000) % 1000:03d}Z"
