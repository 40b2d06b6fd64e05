"""What a child is told, how its answer is found, and how it reaches the parent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.contract.ask import again, question
from abreast.contract.judge import find_answer, judge
from abreast.contract.render import fence
from abreast.errors import ContractError
from abreast.model.economy import count_tokens
from abreast.model.task import Contract, Isolation
from abreast.model.text import harmless
from tests.support.deadlines import SECONDS


def test_a_child_is_told_the_whole_contract() -> None:
    contract = Contract(
        "Which files use pandas?",
        scope=("src/features",),
        returns="bullets",
        constraints=("Stop after 20 files.",),
        success="you have the list",
        limit_tokens=300,
    )
    text = question(contract)
    told = (*contract.scope, *contract.constraints, contract.success, "300 tokens", '"bullets"')
    for words in told:
        assert words in text
    assert "Change nothing" in text


def test_only_a_child_with_its_own_worktree_may_edit() -> None:
    assert "Change nothing" not in question(Contract("Do it.", isolation=Isolation.WORKTREE))


def test_the_question_itself_is_cheap() -> None:
    assert count_tokens(question(Contract("x", returns="text"))) < 250


def test_a_repair_names_every_problem() -> None:
    text = again(["bullets: is empty", "extra: is not allowed"], Contract("x", returns="bullets"))
    assert "bullets: is empty" in text
    assert "extra: is not allowed" in text
    assert '"nothing_found"' in text


def test_an_unknown_shape_is_refused_before_anything_is_spent() -> None:
    with pytest.raises(ContractError):
        question(Contract("x", returns="haiku"))


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "a"}',
        'Here it is:\n```json\n{"text": "a"}\n```\nHope it helps.',
        'I first thought {not json} and {"text": "b"}, but: {"text": "a"} is it.',
        '\ufeff{"text": "a"}'.lstrip("\ufeff"),
    ],
)
def test_the_answer_is_found(text: str) -> None:
    assert find_answer(text) == {"text": "a"}


@pytest.mark.parametrize("text", ["", "no object here", "[1, 2]", "{" * 50_000, '{"torn": '])
def test_where_there_is_no_answer_there_is_none(text: str) -> None:
    assert find_answer(text) is None


@given(st.dictionaries(st.text(), st.text() | st.integers()), st.text(alphabet=" \n\t"))
def test_any_object_is_found_whole(value: dict[str, object], space: str) -> None:
    assert find_answer(space + json.dumps(value) + space) == value


@given(st.text())
def test_nothing_inside_can_close_the_fence(text: str) -> None:
    fenced = fence(text, source="codex")
    mark = fenced.splitlines()[1].strip("<>")
    assert f"</{mark}>" not in text
    assert fenced.endswith(f"</{mark}>")
    assert text in fenced


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("text", ["```" + "\n" * 200_000, "```" + " " * 200_000, "``` " * 200_000])
def test_an_endless_fence_costs_no_time(text: str) -> None:
    assert find_answer(text) is None


def test_what_other_readers_of_json_refuse_is_no_answer() -> None:
    assert find_answer('{"a": NaN}') is None
    assert find_answer('{"a": 1e999}') is None
    assert find_answer('{"a": -Infinity} {"b": 1}') == {"b": 1}


def test_half_characters_and_bottomless_answers_do_no_harm() -> None:
    found = judge('{"text": "a\\ud800b\ud83d"}', Contract("What?"))
    assert (found.items, found.value) == (("a\ufffdb\ufffd",), {"text": "a\ufffdb\ufffd"})
    deep = '{"a": ' + "[" * 500 + "]" * 500 + "}"
    [problem] = judge(deep, Contract("What?", returns={"type": "object"})).problems
    assert "nested more than" in problem


@pytest.mark.parametrize(
    "unseen", ["\x1b[2J", "\x9b", "\x1b]0;title\x07", "\x00", "\u200f", "\u2066", "\U000e0041"]
)
def test_what_acts_or_hides_is_not_shown(unseen: str) -> None:
    assert harmless(f"a{unseen}b\t\n\u00e9 \U0001f468\u200d\U0001f4bb") == (
        "ab\t\n\u00e9 \U0001f468\u200d\U0001f4bb"
    )
    assert harmless("50%\r99%\r\n\u2028done") == "50%\n99%\n\ndone"
    assert harmless("a\udcffb") == "a\ufffdb"
