"""Transcripts as the three CLIs write them, in any amount, with the truth about what they cost.

The lines follow recordings of Claude Code 2.1.330, Codex 0.169.0 and Gemini CLI 0.61.0, key by
key; what tools return is as long as it is in real work: a few thousand characters, some far more.
"""

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

WORK = "/home/ada/shop"
NOON = 1_795_262_400.0  # 2026-11-21 12:00 UTC
_DAY = 86_400
_MIX = (("claude", 50), ("codex", 35), ("gemini", 15))
MODELS = {
    "claude": ("claude-opus-5-5", "claude-haiku-4-5-20251001"),
    "codex": ("gpt-5.5", "gpt-5.5-mini"),
    "gemini": ("gemini-3.8-flash", "gemini-3.8-pro"),
}


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


@dataclass(frozen=True)
class Written:
    """One session's transcript, with what its requests used."""

    agent: str
    path: Path
    session: str
    parent: str
    requests: tuple[Request, ...]


class Prose:
    """Text by the kilobyte, escaped as it stands in JSON."""

    def __init__(self, chance: random.Random) -> None:
        words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 9))) for _ in range(900)]
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


def make_transcripts(home: Path, size: int, *, seed: int = 1, days: int = 30) -> list[Written]:
    """Write at least `size` bytes of transcripts below `home`, over as many days, and tell of them.

    Some sessions have subagents; some are forks, which repeat what another session has spent.
    """
    chance = random.Random(seed)
    prose = Prose(random.Random(seed + 1))
    found: list[Written] = []
    written = 0
    while written < size:
        agent = chance.choices([name for name, _ in _MIX], [share for _, share in _MIX])[0]
        count = min(600, max(2, int(chance.lognormvariate(3.8, 0.9))))
        began = NOON - chance.random() * days * _DAY
        make = _Session(home, agent, chance, prose, began, count)
        made = [make.write()]
        if agent != "codex" and chance.random() < 0.15:
            made += [make.subagent(n) for n in range(chance.randint(1, 3))]
        if agent == "claude" and chance.random() < 0.05:
            make.fork(made[0].path)
        found += made
        written += sum(one.path.stat().st_size for one in made)
    return found


class _Session:
    def __init__(
        self,
        home: Path,
        agent: str,
        chance: random.Random,
        prose: Prose,
        began: float,
        count: int,
    ) -> None:
        self.home, self.agent, self.chance, self.prose = home, agent, chance, prose
        self.began, self.count = began, count
        self.session = _uuid(chance)

    def write(self) -> Written:
        path = self._path()
        return self._save(path, self.session, "", self.count, self.began)

    def subagent(self, number: int) -> Written:
        count = self.chance.randint(2, 12)
        name = _uuid(self.chance)
        if self.agent == "claude":
            name = f"a{name.replace('-', '')[:16]}"
            folder = self._path().with_suffix("") / "subagents"
            path = folder / f"agent-{name}.jsonl"
        else:
            path = self._path().parent / self.session / f"{name}.jsonl"
        return self._save(path, name, self.session, count, self.began + 60 + number)

    def fork(self, original: Path) -> None:
        """A session that begins with all that another one has recorded, and spends nothing."""
        name = _uuid(self.chance)
        text = original.read_text().replace(
            f'"sessionId":"{self.session}"',
            f'"forkedFrom":{{"sessionId":"{self.session}"}},"sessionId":"{name}"',
        )
        (original.parent / f"{name}.jsonl").write_text(text)

    def _path(self) -> Path:
        stamp = datetime.fromtimestamp(self.began, UTC)
        if self.agent == "claude":
            return self.home / ".claude/projects/-home-ada-shop" / f"{self.session}.jsonl"
        if self.agent == "codex":
            name = f"rollout-{stamp:%Y-%m-%dT%H-%M-%S}-{self.session}.jsonl"
            return self.home / f".codex/sessions/{stamp:%Y/%m/%d}" / name
        chats = self.home / ".gemini/tmp/shop/chats"
        return chats / f"session-{stamp:%Y-%m-%dT%H-%M}-{self.session[:8]}.jsonl"

    def _save(self, path: Path, name: str, parent: str, count: int, began: float) -> Written:
        path.parent.mkdir(parents=True, exist_ok=True)
        requests = list(self._requests(count, began))
        lines = getattr(self, f"_{self.agent}")(name, parent, requests)
        with path.open("w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        return Written(self.agent, path, name, parent, tuple(requests))

    def _requests(self, count: int, began: float) -> Iterator[Request]:
        at, context = began, self.chance.randint(9_000, 22_000)
        model = self.chance.choices(MODELS[self.agent], (4, 1))[0]
        cached = 0
        for _ in range(count):
            at += self.chance.uniform(2, 40)
            output = self.chance.randint(20, 900)
            thoughts = self.chance.choice((0, 0, self.chance.randint(10, 400)))
            new = context - cached
            written = new - 3 if self.agent == "claude" else 0
            yield Request(round(at, 3), model, context, cached, written, output + thoughts, thoughts)
            cached = context - self.chance.randint(0, 40)
            context += output + thoughts + self.chance.randint(200, 2500)
            if context > 180_000:
                context, cached = 30_000, 0

    # --- Claude Code ----------------------------------------------------------------------------

    def _claude(self, name: str, parent: str, requests: list[Request]) -> Iterator[str]:
        whose = parent or name
        side = "true" if parent else "false"
        agent = f'"agentId":"{name}",' if parent else ""
        tail = (
            f'"userType":"external","entrypoint":"cli","cwd":"{WORK}","sessionId":"{whose}",'
            '"version":"2.1.330","gitBranch":"main"}'
        )
        above = "null"
        for number, one in enumerate(requests):
            stamp, prompt = _stamp(one.at), _uuid(self.chance)
            begin = f'{{"parentUuid":{above},"isSidechain":{side},'
            this = _uuid(self.chance)
            ask = _uuid(self.chance)
            if number % 12 == 0:
                yield (
                    f'{begin}"promptId":"{prompt}",{agent}"type":"user","message":{{"role":"user",'
                    f'"content":"{self.prose.text(300)}"}},"uuid":"{this}","timestamp":"{stamp}",'
                    f'"permissionMode":"acceptEdits",{tail}'
                )
                begin = f'{{"parentUuid":"{this}","isSidechain":{side},'
                this = _uuid(self.chance)
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
            tool = f"toolu_01{self.session[:8]}{number:06d}"
            message = f"msg_01{name[:13]}{number:07d}"
            parts = [
                f'{{"type":"text","text":"{self.prose.text(self.chance.randint(40, 500))}"}}',
                f'{{"type":"tool_use","id":"{tool}","name":"Bash","input":{{"command":'
                f'"{self.prose.text(self.chance.randint(40, 900))}","description":"Run it"}}}}',
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
                last, this = this, _uuid(self.chance)
            said = self.prose.output()
            yield (
                f'{begin}"promptId":"{prompt}",{agent}"type":"user","message":{{"role":"user",'
                f'"content":[{{"tool_use_id":"{tool}","type":"tool_result","content":"{said}",'
                f'"is_error":false}}]}},"uuid":"{this}","timestamp":"{_stamp(one.at + 1)}",'
                f'"toolUseResult":{{"stdout":"{said}","stderr":"","interrupted":false,"isImage":'
                f'false,"noOutputExpected":false}},"sourceToolAssistantUUID":"{last}",{tail}'
            )
            above = f'"{this}"'

    # --- Codex ----------------------------------------------------------------------------------

    def _codex(self, name: str, parent: str, requests: list[Request]) -> Iterator[str]:
        ordinal = 0

        def line(at: float, kind: str, payload: str) -> str:
            nonlocal ordinal
            ordinal += 1
            return (
                f'{{"timestamp":"{_stamp(at)}","ordinal":{ordinal - 1},"type":"{kind}",'
                f'"payload":{{{payload}}}}}'
            )

        began = requests[0].at - 1
        yield line(
            began,
            "session_meta",
            f'"session_id":"{name}","id":"{name}","timestamp":"{_stamp(began)}","cwd":"{WORK}",'
            '"originator":"codex_cli","cli_version":"0.169.0","source":"cli","thread_source":'
            '"user","model_provider":"openai","base_instructions":{"text":"'
            f'{self.prose.text(14_000)}"}},"git":{{"commit_hash":"{"0" * 40}","branch":"main"}}',
        )
        turn = _uuid(self.chance)
        totals = (0, 0, 0, 0)
        for number, one in enumerate(requests):
            if number % 12 == 0:
                turn = _uuid(self.chance)
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
                    f'"type":"user_message","message":"{self.prose.text(300)}","images":[]',
                )
            call = f"call_{name[:8]}_{number}"
            passed = f'"internal_chat_message_metadata_passthrough":{{"turn_id":"{turn}"}}'
            meta = f'"metadata":{{"history_sequence":{2 * number},"client_authored":false}}'
            secret = hashlib.sha256(call.encode()).hexdigest() * self.chance.randint(6, 40)
            yield line(
                one.at,
                "response_item",
                f'"type":"reasoning","summary":[],"encrypted_content":"gAAAA{secret}",{passed}',
            ).replace("}}}", f"}}}},{meta}}}", 1)
            command = self.prose.text(self.chance.randint(40, 900)).replace("\\", "\\\\")
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
            said = self.prose.output()
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
                f'"type":"function_call_output","id":"fco_{_uuid(self.chance)}","call_id":"{call}",'
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

    # --- Gemini CLI -----------------------------------------------------------------------------

    def _gemini(self, name: str, parent: str, requests: list[Request]) -> Iterator[str]:
        digest = hashlib.sha256(WORK.encode()).hexdigest()
        kind = "subagent" if parent else "main"
        yield (
            f'{{"sessionId":"{name}","projectHash":"{digest}","startTime":'
            f'"{_stamp(requests[0].at)}","lastUpdated":"{_stamp(requests[0].at)}","kind":"{kind}",'
            f'"directories":["{WORK}"]}}'
        )
        for number, one in enumerate(requests):
            stamp, this = _stamp(one.at), _uuid(self.chance)
            update = f'{{"$set":{{"lastUpdated":"{stamp}"}}}}'
            if number % 12 == 0:
                yield (
                    f'{{"id":"{_uuid(self.chance)}","timestamp":"{stamp}","type":"user","content":'
                    f'[{{"text":"{self.prose.text(300)}"}}]}}'
                )
                yield update
            said = one.output - one.thoughts
            head = (
                f'{{"id":"{this}","timestamp":"{stamp}","type":"gemini","content":'
                f'"{self.prose.text(self.chance.randint(40, 500))}","thoughts":[],"tokens":'
                f'{{"input":{one.prompt},"output":{said},"cached":{one.cached},"thoughts":'
                f'{one.thoughts},"tool":0,"total":{one.prompt + one.output}}},"model":"{one.model}"'
            )
            yield head + "}"
            yield update
            call, text = f"run_shell_command_{this[:13]}_0", self.prose.output()
            response = (
                f'{{"functionResponse":{{"id":"{call}","name":"run_shell_command","response":'
                f'{{"output":"<untrusted_context>\\nOutput: {text}\\n</untrusted_context>"}}}}}}'
            )
            yield (
                f'{head},"toolCalls":[{{"id":"{call}","name":"run_shell_command","args":{{"command"'
                f':"{self.prose.text(self.chance.randint(40, 900))}"}},"result":[{response}],'
                f'"status":"success","timestamp":"{_stamp(one.at + 1)}","resultDisplay":"{text}",'
                '"description":"a command","displayName":"Shell","renderOutputAsMarkdown":true}]}'
            )
            yield (
                f'{{"id":"{_uuid(self.chance)}","timestamp":"{_stamp(one.at + 1)}","type":"user",'
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


def _uuid(chance: random.Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _stamp(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}.{int(at * 1000) % 1000:03d}Z"
