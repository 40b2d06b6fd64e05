"""Lines of keys, for any valid TOML; where the exact line is not known, the nearest one around."""

import tomllib
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.plan.source import find_line, key_lines

TEXT = (
    dedent('''\
    # base = "no"
    base = "main"  # a comment with " and [[task]]
    limits.minutes = 3

    [[task]]
    id = "a # not a comment"
    prompt = """
    [[task]]
    id = "x" \\""" still "" inside
    """
      "produces" = 'x'
    needs = [
      "b",  # ]
    ]
    [task.limits]
    turns = 3
    [ [ "task" ] ]
    id='b'
    [[task.agent.scripted]]
    say = """one line"""
    [[task.agent.scripted]]
    say = \'\'\'
    say = 3
    \'\'\'
    text = ""
''')
    .replace("[ [", "[[")
    .replace("] ]", "]]")
)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("base",), 2),
        (("limits", "minutes"), 3),
        (("limits",), 3),
        (("task",), 5),
        (("task", 0), 5),
        (("task", 0, "id"), 6),
        (("task", 0, "prompt"), 7),
        (("task", 0, "produces"), 11),
        (("task", 0, "needs", 0), 12),
        (("task", 0, "limits", "turns"), 16),
        (("task", 0, "limits", "usd"), 15),
        (("task", 1), 17),
        (("task", 1, "id"), 18),
        (("task", 1, "agent", "scripted", 0, "say"), 20),
        (("task", 1, "agent", "scripted", 1), 21),
        (("task", 1, "agent", "scripted", 1, "text"), 25),
        (("task", 1, "prompt"), 17),
        (("nothing",), None),
        ((), None),
    ],
)
def test_the_line_of_each_key_is_found(path, line):
    tomllib.loads(TEXT)
    assert find_line(key_lines(TEXT), path) == line


WORDS = st.text(st.sampled_from("ab#\"'\\\n=[] "), max_size=12)


def quote(text):
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{plain}"""'


@given(st.lists(WORDS, min_size=1, max_size=6))
def test_no_text_inside_strings_leads_astray(prompts):
    text = "".join(f"[[task]]\nprompt = {quote(prompt)} # {prompt[:0]}\n" for prompt in prompts)
    assert [task["prompt"] for task in tomllib.loads(text)["task"]] == [
        prompt.removeprefix("\n") for prompt in prompts
    ]
    lines = key_lines(text)
    all_lines = text.split("\n")
    for at in range(len(prompts)):
        assert all_lines[lines["task", at] - 1] == "[[task]]"
        assert all_lines[lines["task", at, "prompt"] - 1].startswith("prompt = ")
    assert sum(len(path) == 2 for path in lines) == len(prompts)
