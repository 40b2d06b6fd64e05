"""A plan survives its way through the store, whatever is in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.errors import StoreError
from abreast.model import moves
from abreast.model.limits import Limits
from abreast.model.session import LandMode
from abreast.model.task import AgentChoice, Plan, Task
from abreast.plan.dump import dump_plan, load_plan

TEXT = st.text(max_size=20)
NUMBER = st.floats(min_value=0, allow_infinity=False)
COUNT = st.integers(min_value=0, max_value=2**40)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | COUNT | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
MOVES = st.one_of(
    st.builds(moves.Say, TEXT),
    st.builds(moves.Write, TEXT, TEXT),
    st.builds(moves.Edit, TEXT, TEXT, TEXT),
    st.builds(moves.Read, TEXT),
    st.builds(moves.Shell, TEXT),
    st.builds(moves.Sleep, NUMBER),
    st.builds(moves.Fail, TEXT),
    st.builds(moves.HttpError, COUNT, TEXT, COUNT, TEXT),
    st.builds(moves.Drop, COUNT),
    st.builds(moves.Hang, NUMBER),
    st.builds(moves.Spend, COUNT, COUNT, COUNT),
    st.builds(moves.Call, TEXT, st.dictionaries(TEXT, JSON, max_size=3)),
)
AGENTS = st.builds(AgentChoice, TEXT, TEXT, st.lists(MOVES, max_size=4).map(tuple))
LIMITS = st.builds(Limits, NUMBER, NUMBER, COUNT, COUNT, NUMBER)
TASKS = st.builds(
    Task, TEXT, TEXT, TEXT, AGENTS, TEXTS, TEXTS, TEXTS, TEXT, TEXT, TEXT, st.booleans(), LIMITS
)
PLANS = st.builds(
    Plan,
    st.lists(TASKS, max_size=3).map(tuple),
    TEXT,
    TEXT,
    TEXT,
    TEXT,
    COUNT,
    st.sampled_from(LandMode),
    NUMBER,
    NUMBER,
    TEXTS,
    COUNT,
    TEXT,
)


@given(PLANS)
def test_what_is_dumped_is_loaded_back_equal(plan):
    text = dump_plan(plan)
    assert load_plan(text) == plan
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["schema"] == 1


@given(st.builds(lambda code: f"a{chr(code)}b", st.integers(0xD800, 0xDFFF)))
def test_even_text_that_is_no_text_survives(prompt):
    plan = Plan((Task("a", prompt, "x", AgentChoice("claude")),))
    assert load_plan(dump_plan(plan)) == plan


def test_another_schema_is_refused():
    text = dump_plan(Plan(())).replace('"schema": 1', '"schema": 2')
    with pytest.raises(StoreError, match="a plan of schema 2 cannot be read"):
        load_plan(text)
