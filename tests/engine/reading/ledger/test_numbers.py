"""What hand-made records come to, also by the pinned ccusage where it counts what was paid for."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import abreast
from abreast.agents import AGENTS
from abreast.agents.claude.stream import ClaudeReader
from abreast.economics.rows import Prices
from abreast.model.economy import By, Ledger
from tests.support.ccusage import ccusage, ccusage_binary
from tests.support.recorded_homes import Counts, counts, make_places

cost_of = Prices(agent.prices for agent in AGENTS.values()).cost

SESSION = "11111111-1111-4111-8111-111111111111"
SUB = "aside_question-0123456789abcdef"
ADVICE = {
    "type": "advisor_message",
    "model": "claude-opus-5",
    "input_tokens": 15_000,
    "cache_creation_input_tokens": 1_000,
    "cache_read_input_tokens": 4_000,
    "output_tokens": 700,
}


def reply(name: str = "msg_1", request: str | None = "req_1", **more: Any) -> dict[str, Any]:
    """A reply of `model` with `usage` beyond 100 tokens in and 10 out, as it is recorded."""
    usage = {
        "input_tokens": 100,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 10,
        **more.pop("usage", {}),
    }
    message = {"id": name, "type": "message", "role": "assistant", "usage": usage, "content": []}
    model = more.pop("model", "claude-sonnet-5")
    return {
        "parentUuid": None,
        "isSidechain": False,
        "message": {**message, "model": model, "stop_reason": "end_turn"},
        **({"requestId": request} if request else {}),
        "type": "assistant",
        "uuid": f"{name}-{request}",
        "timestamp": "2026-11-20T10:00:00.000Z",
        "cwd": "/w",
        "sessionId": SESSION,
        "version": "2.1.330",
        **more,
    }


def write(home: Path, records: Iterable[Any], subagent: str = "") -> None:
    path = home / ".claude/projects/-w" / f"{SESSION}.jsonl"
    path = path.with_suffix("") / f"subagents/agent-{subagent}.jsonl" if subagent else path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in records))


def look(home: Path, by: By = By.DAY) -> Ledger:
    return abreast.ledger(places=make_places(home), environ={"HOME": str(home)}, by=by)


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ccusage_binary(tmp_path_factory.mktemp("ccusage"))


TWICE = [reply(), reply(usage={"output_tokens": 40, "iterations": [ADVICE, ADVICE]})]


@pytest.mark.clis
@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([reply(), reply()], (100, 0, 0, 10), id="two-parts-of-a-reply"),
        pytest.param([reply(), reply(request="req_2")], (200, 0, 0, 20), id="one-id-twice"),
        pytest.param([reply(request=None)] * 2, (100, 0, 0, 10), id="without-request-ids"),
        pytest.param(
            [reply(usage={"iterations": [ADVICE]})], (20_100, 4_000, 1_000, 710), id="advisor"
        ),
        pytest.param(TWICE, (40_100, 8_000, 2_000, 1_440), id="advisor-in-the-last-part"),
        pytest.param(
            [reply(usage={"iterations": [{**ADVICE, "type": "message"}]})],
            (100, 0, 0, 10),
            id="its-own-parts-are-in-the-sum",
        ),
    ],
)
def test_requests_of_claude(tmp_path: Path, binary: Path, records: Any, expected: Counts) -> None:
    write(tmp_path, records)
    assert counts(look(tmp_path).total) == expected
    assert [*ccusage(binary, tmp_path, "daily").values()] == [expected]


def test_an_advisor_is_another_model_with_its_own_price(tmp_path: Path) -> None:
    write(tmp_path, [reply(usage={"iterations": [ADVICE]})])
    rows = {row.name: row for row in look(tmp_path, By.MODEL).rows}
    assert counts(rows["claude-opus-5"]) == (20_000, 4_000, 1_000, 700)
    assert counts(rows["claude-sonnet-5"]) == (100, 0, 0, 10)
    usd = rows["claude-opus-5"].cost.estimated
    assert usd == pytest.approx(cost_of("claude-opus-5", 20_000, 4_000, 1_000, 700))


def test_what_the_cli_counts_has_the_advisor_already(tmp_path: Path) -> None:
    """Its own count, at the end of a session, is of all models."""

    def used(prompt: int, cached: int, written: int, output: int) -> dict[str, int]:
        return {
            "inputTokens": prompt - cached - written,
            "cacheReadInputTokens": cached,
            "cacheCreationInputTokens": written,
            "outputTokens": output,
        }

    usage = {"claude-sonnet-5": used(100, 0, 0, 10)}
    usage["claude-opus-5"] = used(20_000, 4_000, 1_000, 700)
    told = {"modelUsage": usage, "totalCostUSD": 0.5, "hasUnknownModelCost": False}
    records = [reply(usage={"iterations": [ADVICE], "speed": "fast"})]
    write(tmp_path, [*records, {"type": "cost-state", "sessionId": SESSION, **told}])
    found = look(tmp_path)
    assert counts(found.total) == (20_100, 4_000, 1_000, 710)
    assert found.total.cost.stated == 0.5
    assert found.notes == ()


def test_a_killed_process_has_the_advisor_from_its_record(tmp_path: Path) -> None:
    write(tmp_path, [reply(), reply(usage={"output_tokens": 40, "iterations": [ADVICE]})])
    reader = ClaudeReader(tmp_path / ".claude")
    [streamed] = [{**one, "request_id": "req_1"} for one in [reply()]]
    started = {"type": "system", "subtype": "init", "session_id": SESSION, "cwd": "/w"}
    for line in (started, streamed):
        reader.feed(json.dumps(line).encode())
    verdict = reader.verdict(-9, "")
    assert (verdict.usage.input_tokens, verdict.usage.output_tokens) == (20_100, 740)
    assert verdict.usage_by_model["claude-opus-5"].input_tokens == 20_000
    assert verdict.turns == 1
    assert verdict.context == 140


def test_what_a_subagent_repeats_of_its_session_counts_once(tmp_path: Path) -> None:
    """A question aside begins with the conversation: the same answers, under other requests."""
    own = reply("msg_2", "req_9", usage={"input_tokens": 7})
    copied = {**reply(request="req_2"), "isSidechain": True}
    write(tmp_path, [reply()])
    write(tmp_path, [copied, {**own, "isSidechain": True}], SUB)
    assert counts(look(tmp_path).total) == (107, 0, 0, 20)
    write(tmp_path, [copied, {**reply("msg_3"), "isSidechain": True}], SUB.replace("0", "1"))
    assert counts(look(tmp_path).total) == (207, 0, 0, 30)


@pytest.mark.parametrize(
    ("model", "times"),
    [("claude-opus-5", 2), ("claude-opus-4-8", 2), ("claude-opus-4-6", 6)],
)
def test_the_fast_mode_is_a_price_of_its_own(tmp_path: Path, model: str, times: int) -> None:
    fast = reply("msg_2", model=model, usage={"speed": "fast", "cache_read_input_tokens": 1_000})
    plain = reply("msg_1", model=model, usage={"cache_read_input_tokens": 1_000})
    write(tmp_path, [plain, fast])
    rows = {row.name: row for row in look(tmp_path, By.MODEL).rows}
    assert set(rows) == {model, f"{model}-fast"}
    usual = rows[model].cost.estimated
    assert usual is not None
    assert rows[f"{model}-fast"].cost.estimated == pytest.approx(times * usual)


def test_what_a_cache_takes_has_its_price() -> None:
    for model in ("gpt-5.6-sol", "claude-sonnet-4-5"):
        plain, written = cost_of(model, 1_000, 0, 0, 0), cost_of(model, 1_000, 0, 1_000, 0)
        assert plain is not None
        assert written == pytest.approx(1.25 * plain)
    assert cost_of("gpt-5.5", 1_000, 0, 1_000, 0) == cost_of("gpt-5.5", 1_000, 0, 0, 0)
    assert cost_of("claude-sonnet-5-fast", 1_000, 0, 0, 0) is None
