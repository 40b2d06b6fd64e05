"""A scenario and a conversation decide the next reply, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.loopback.dialect import DONE, UNMATCHED, Message, choose, filled, turn_at, unmatched
from abreast.model.moves import (
    Call,
    Drop,
    Edit,
    Fail,
    Hang,
    HttpError,
    Move,
    Read,
    Say,
    Scenario,
    Shell,
    Sleep,
    Spend,
    Write,
)


def user(text: str) -> Message:
    return Message("user", text)


RESULT = Message("result", "ok")
SAID = Message("assistant", "I will")


def scenario(*moves: Move, name: str = "demo", match: str = "") -> Scenario:
    return Scenario(name, moves, match)


def test_the_step_is_the_number_of_results_since_the_prompt() -> None:
    one = scenario()
    talk = [user("do demo"), SAID, RESULT, SAID, RESULT]
    assert choose([one], talk) == (one, 2)


def test_the_newest_prompt_that_matches_decides() -> None:
    first, second = scenario(name="first"), scenario(name="second")
    talk = [user("first"), RESULT, RESULT, user("second"), RESULT]
    assert choose([first, second], talk) == (second, 1)


def test_a_later_message_of_the_user_that_matches_nothing_does_not_restart() -> None:
    one = scenario()
    talk = [user("demo"), RESULT, user("a reminder by the CLI"), RESULT]
    assert choose([one], talk) == (one, 2)


def test_the_longest_key_wins_and_then_the_latest() -> None:
    short, long = scenario(name="csv"), scenario(name="export", match="csv export")
    assert choose([long, short], [user("write the csv export")]) == (long, 0)
    older, newer = scenario(Say("1"), match="same"), scenario(Say("2"), match="same")
    assert choose([older, newer], [user("the same")]) == (newer, 0)


def test_only_the_user_can_choose() -> None:
    assert (
        choose([scenario()], [SAID, Message("result", "demo"), Message("assistant", "demo")])
        is None
    )
    assert choose([scenario()], []) is None


def test_replies_hold_one_tool_call_each_and_the_words_before_it() -> None:
    moves = (Say("first"), Say("then"), Write("a", "1"), Read("a"), Say("all done"))
    turns = [turn_at(scenario(*moves), step) for step in range(3)]
    assert [(t.reply.text, t.reply.call, t.reply.number) for t in turns] == [
        ("first\n\nthen", Write("a", "1"), 0),
        ("", Read("a"), 1),
        ("all done", None, 2),
    ]


@pytest.mark.parametrize(
    "tool", [Write("a", ""), Edit("a", "b", "c"), Read("a"), Shell("ls"), Call("x", {})]
)
def test_a_turn_without_last_words_says_done(tool: Move) -> None:
    assert turn_at(scenario(tool), 0).reply.call == tool
    assert turn_at(scenario(tool), 1).reply.text == DONE
    assert turn_at(scenario(), 0).reply.text == DONE


def test_a_step_beyond_the_end_is_the_last_again() -> None:
    late = turn_at(scenario(Write("a", ""), Say("bye")), 7).reply
    assert (late.text, late.call, late.number) == ("bye", None, 7)


def test_usage_is_stated_for_the_reply_that_follows() -> None:
    one = scenario(Spend(5, 1, 2), Write("a", ""), Say("bye"))
    assert turn_at(one, 0).reply.spend == Spend(5, 1, 2)
    assert turn_at(one, 1).reply.spend == Spend()


def test_waiting_belongs_to_the_reply_that_follows() -> None:
    one = scenario(Sleep(1), Sleep(0.5), Write("a", ""), Hang(9), Say("bye"))
    assert (turn_at(one, 0).delay, turn_at(one, 0).stall) == (1.5, 0)
    assert (turn_at(one, 1).delay, turn_at(one, 1).stall) == (0, 9)


def test_faults_take_their_attempts_in_order() -> None:
    limited, overload, drop = HttpError(429, times=2), HttpError(529, times=1), Drop(times=1)
    one = scenario(limited, overload, drop, Say("at last"))
    faults = [turn_at(one, 0, attempt).fault for attempt in range(6)]
    assert faults == [limited, limited, overload, drop, None, None]


def test_a_fault_without_a_limit_never_ends() -> None:
    assert turn_at(scenario(Drop(), Say("never")), 0, 99).fault == Drop()
    assert turn_at(scenario(Fail("no")), 0, 99).fault == HttpError(400, "no")


def test_an_unmatched_prompt_ends_the_session() -> None:
    assert (unmatched().reply.text, unmatched().reply.call) == (UNMATCHED, None)


TOOLS = st.sampled_from([Write("a", ""), Read("a"), Shell("ls"), Say("x"), Spend(), Sleep(0)])


@given(st.lists(TOOLS, max_size=12))
def test_every_tool_is_called_once_in_order_and_then_the_turn_ends(moves: list[Move]) -> None:
    wanted = [m for m in moves if isinstance(m, Write | Read | Shell)]
    turns = [turn_at(scenario(*moves), step) for step in range(len(wanted) + 1)]
    assert [t.reply.call for t in turns] == [*wanted, None]
    assert turns[-1].reply.text


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ('collect(id="abcde"); cancel(id="abcde") stops it', "abcde"),
        ('{"text": "more(id=\\"abcde/1\\", page=2)"}', "abcde/1"),
        ('{"agent_id": "a-1", "nickname": "Ada"}', "a-1"),
        ("nothing of the kind", "$ID"),
    ],
)
def test_a_call_can_name_what_a_result_has_called_it(told: str, known: str) -> None:
    turn = turn_at(Scenario("s", (Call("cancel", {"id": "$ID"}),)), 0)
    said = [Message("user", 'id="mine"'), Message("result", 'id="older"'), Message("result", told)]
    if known == "$ID":
        said = said[:1]
    call = filled(turn, said).reply.call
    assert isinstance(call, Call)
    assert call.arguments == {"id": known}
