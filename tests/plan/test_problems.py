"""Everything wrong with a plan file is said at once, by line and key, in a person's words."""
# ruff: noqa: E501  (messages as they are printed)

from pathlib import Path
from textwrap import dedent

import pytest
from inline_snapshot import snapshot

from abreast.errors import PlanError
from abreast.plan.options import NO_OVERRIDES, Overrides
from abreast.plan.parse import parse_plan

AGENTS = ("claude", "codex", "gemini", "command", "scripted")


def problems(text, options=NO_OVERRIDES):
    with pytest.raises(PlanError) as found:
        parse_plan(dedent(text), Path("plan.toml"), options, agents=AGENTS)
    return "\n".join(["", *map(str, found.value.problems), ""])


def test_everything_wrong_is_said_at_once_by_line():
    assert problems("""\
        base = 3
        max_paralel = 2
        land = "merged"
        agent = "claud"
        pool = -1
        pass_env = ["TOKEN=abc"]

        [[task]]
        id = "Retry HTTP"
        prompt = "x"
        needs = ["b", "nothing"]
        limits = { minutes = -1, turns = 1.5, dollars = 3 }

        [[task]]
        prompt = '''
        id = "inside a prompt"
        '''
        needs = "b"

        [[task]]
        id = "b"
        prompt = "   "
        changes = "no"
        paths = [3]

        [[task]]
        id = "b"
        agent = { comand = "x" }
        [task.limits]
        usd = "2"
    """) == snapshot("""\

plan.toml:1 base: must be a string, not 3
plan.toml:2 max_paralel: unknown key
  hint: did you mean `max_parallel`?
plan.toml:3 land: must be one of none, merge, pr, review, not `merged`
  hint: did you mean `merge`?
plan.toml:4 agent: there is no agent `claud`
  hint: did you mean `claude`?
plan.toml:5 pool: must not be negative, but is -1
plan.toml:6 pass_env[1]: names variables, but gives `TOKEN` a value
  hint: export TOKEN in your shell, and write pass_env = ["TOKEN"]
plan.toml:9 task Retry HTTP.id: the id may not contain ' ' 'H' 'P' 'R' 'T'
  hint: such as id = "retry-http"
plan.toml:11 task Retry HTTP.needs: there is no task `nothing`
  hint: tasks are: Retry HTTP, b
plan.toml:12 task Retry HTTP.limits.minutes: must not be negative, but is -1
plan.toml:12 task Retry HTTP.limits.turns: must be a whole number, not 1.5
plan.toml:12 task Retry HTTP.limits.dollars: unknown key
  hint: keys are: answer_minutes, idle_minutes, minutes, outage_minutes, tokens, turns, usd
plan.toml:14 task #2: `id` is missing
plan.toml:18 task #2.needs: must be a list, not a string
  hint: needs = ["b"]
plan.toml:22 task b.prompt: the prompt is empty
plan.toml:23 task b.changes: must be true or false, not a string
plan.toml:24 task b.paths[1]: must be a string, not 3
plan.toml:26 task b: the task has no prompt
  hint: prompt = "…" or prompt_file = "FILE"
plan.toml:27 task b.id: line 21 has a task of this id already
plan.toml:28 task b.agent.comand: unknown key
  hint: did you mean `command`?
plan.toml:28 task b.agent: must have either `command` or `scripted`
plan.toml:30 task b.limits.usd: must be a number, not a string
""")


def test_cycles_are_named():
    assert problems("""\
        [[task]]
        id = "a"
        prompt = "x"
        needs = ["free", "b"]
        [[task]]
        id = "b"
        prompt = "x"
        needs = ["c"]
        [[task]]
        id = "c"
        prompt = "x"
        needs = ["a"]
        [[task]]
        id = "free"
        prompt = "x"
        [[task]]
        id = "self"
        prompt = "x"
        needs = ["self"]
        [[task]]
        id = "outside"
        prompt = "x"
        needs = ["a"]
    """) == snapshot("""\

plan.toml:4 task a.needs: tasks wait for each other: `a` needs `b` needs `c` needs `a`
plan.toml:19 task self.needs: the task needs itself
""")


def test_what_a_task_comes_after_is_checked_with_what_it_needs():
    assert problems("""\
        [[task]]
        id = "a"
        prompt = "x"
        after = ["b", "hre"]
        [[task]]
        id = "b"
        prompt = "x"
        needs = ["c"]
        [[task]]
        id = "c"
        prompt = "x"
        after = ["a"]
        [[task]]
        id = "here"
        prompt = "x"
        after = ["here"]
        [[task]]
        id = "words"
        prompt = "x"
        after = "here"
    """) == snapshot("""\

plan.toml:4 task a.after: there is no task `hre`
  hint: did you mean `here`?
plan.toml:4 task a.after: tasks wait for each other: `a` after `b` needs `c` after `a`
plan.toml:16 task here.after: the task is after itself
plan.toml:20 task words.after: must be a list, not a string
  hint: after = ["here"]
""")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "",
            snapshot("""\

plan.toml: there is no task
  hint: start one with [[task]] and id = "…"
"""),
        ),
        (
            "task = []",
            snapshot("""\

plan.toml: there is no task
  hint: start one with [[task]] and id = "…"
"""),
        ),
        (
            '[task]\nid = "a"',
            snapshot("""\

plan.toml:1 task: tasks are written under `[[task]]`, with two brackets
"""),
        ),
        (
            'task = "a"',
            snapshot("""\

plan.toml:1 task: tasks are written under `[[task]]`, with two brackets
"""),
        ),
        (
            "task = [1]",
            snapshot("""\

plan.toml:1 task #1: must be a table, not 1
"""),
        ),
        (
            '[sandbox]\nmode = "none"\n[limits.day]\nusd = 3\n[[task]]\nid = "a"\nprompt = "x"',
            snapshot("""\

plan.toml:1 sandbox: unknown key
  hint: it belongs into your own file: abreast settings set
plan.toml:3 limits.day: unknown key
  hint: it belongs into your own file: abreast settings set
"""),
        ),
        (
            '[[tasks]]\nid = "a"',
            snapshot("""\

plan.toml: there is no task
  hint: start one with [[task]] and id = "…"
plan.toml:1 tasks: unknown key
  hint: did you mean `task`?
"""),
        ),
        (
            '[[task]]\nprompt = "x"',
            snapshot("""\

plan.toml:1 task #1: `id` is missing
"""),
        ),
        (
            '[[task]]\nid = "a"',
            snapshot("""\

plan.toml:1 task a: the task has no prompt
  hint: prompt = "…" or prompt_file = "FILE"
"""),
        ),
        (
            '[[task]]\nid = ""\nprompt = ""',
            snapshot("""\

plan.toml:2 task #1.id: the id is empty
plan.toml:3 task #1.prompt: the prompt is empty
"""),
        ),
        (
            "[[task]]\nid = 3\nprompt = 4",
            snapshot("""\

plan.toml:2 task #1.id: must be a string, not 3
plan.toml:3 task #1.prompt: must be a string, not 4
"""),
        ),
        (
            '[[task]]\nid = "a"\nprompt = "x"\nprompt_file = "y"',
            snapshot("""\

plan.toml:4 task a.prompt_file: the task has a `prompt` as well: keep one of them
"""),
        ),
        (
            '[[task]]\nid = "a"\nprompt_file = "no/such.md"',
            snapshot("""\

plan.toml:3 task a.prompt_file: no/such.md cannot be read: No such file or directory
"""),
        ),
        (
            '[[task]]\nid = "a"\nprompt = "x\\u0000"\nverify = "\\u0000"',
            snapshot("""\

plan.toml:3 task a.prompt: contains a NUL character
plan.toml:4 task a.verify: contains a NUL character
"""),
        ),
        (
            '[[task]]\nid = "a"\nprompt = 2026-01-01',
            snapshot("""\

plan.toml:3 task a.prompt: must be a string, not a date
"""),
        ),
        (
            'limits = 3\n[[task]]\nid = "a"\nprompt = "x"',
            snapshot("""\

plan.toml:1 limits: must be a table, not 3
"""),
        ),
        (
            'max_parallel = true\n[[task]]\nid = "a"\nprompt = "x"',
            snapshot("""\

plan.toml:1 max_parallel: must be a whole number, not a boolean
"""),
        ),
        (
            'limits.usd = inf\n[[task]]\nid = "a"\nprompt = "x"',
            snapshot("""\

plan.toml:1 limits.usd: must be a finite number, not inf
"""),
        ),
        (
            '[[task]]\nid = "a"\nprompt = "x"\npaths = ["*a*/**/*b*.*", "src/*a*a*a*a*b"]',
            snapshot("""\

plan.toml:4 task a.paths[2]: has more than 4 `*` between two slashes
  hint: name the folder, or several paths
"""),
        ),
        (
            'land = 1\n[[task]]\nid = "a"\nprompt = "x"',
            snapshot("""\

plan.toml:1 land: must be one of none, merge, pr, review, not 1
"""),
        ),
        (
            '[[task]]\n"id" = "a"\nprompt = "x"\n"what is" = 1',
            snapshot("""\

plan.toml:4 task a.what is: unknown key
  hint: keys are: after, agent, changes, fallback, id, limits, model, needs, network, paths, produces, prompt, prompt_file, repairs, resources, setup, verify
"""),
        ),
    ],
)
def test_each_kind_of_mistake_has_its_own_words(text, expected):
    assert problems(text) == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (
            '"cursor"',
            snapshot("""\

plan.toml:4 task a.agent: there is no agent `cursor`
  hint: agents are: claude, codex, gemini, command, scripted
"""),
        ),
        (
            '"command"',
            snapshot("""\

plan.toml:4 task a.agent: the agent `command` must be told what to do
  hint: write agent = { command = "…" } in a plan
"""),
        ),
        (
            '"scripted"',
            snapshot("""\

plan.toml:4 task a.agent: the agent `scripted` must be told what to do
  hint: write agent = { scripted = [ … ] } in a plan
"""),
        ),
        (
            "3",
            snapshot("""\

plan.toml:4 task a.agent: must be a name or a table, not 3
"""),
        ),
        (
            "{}",
            snapshot("""\

plan.toml:4 task a.agent: must have either `command` or `scripted`
"""),
        ),
        (
            '{ command = "x", scripted = [] }',
            snapshot("""\

plan.toml:4 task a.agent: must have either `command` or `scripted`
"""),
        ),
        (
            '{ command = "" }',
            snapshot("""\

plan.toml:4 task a.agent.command: the command is empty
"""),
        ),
        (
            "{ command = 3 }",
            snapshot("""\

plan.toml:4 task a.agent.command: must be a string, not 3
"""),
        ),
        (
            '{ scripted = "x" }',
            snapshot("""\

plan.toml:4 task a.agent.scripted: must be a list of tables
  hint: scripted = [{ say = "…" }]
"""),
        ),
        (
            '{ scripted = [{ say = "x" }, { sing = "x" }, { sleep = "x" }] }',
            snapshot("""\

plan.toml:4 task a.agent.scripted[2]: is not a move: sing
  hint: moves are: say, end_turn, write, edit, read, shell, sleep, fail, http_error, drop, hang, spend, call
plan.toml:4 task a.agent.scripted[3]: is not a move: `seconds` cannot be a string
"""),
        ),
        (
            '{ scripted = [{ say = 3 }, { write = "a" }, { sleep = true }, { say = "x", loud = 1 }, {}] }',
            snapshot("""\

plan.toml:4 task a.agent.scripted[1]: is not a move: `text` cannot be 3
plan.toml:4 task a.agent.scripted[2]: is not a move: 'text' is missing
plan.toml:4 task a.agent.scripted[3]: is not a move: `seconds` cannot be a boolean
plan.toml:4 task a.agent.scripted[4]: is not a move: unknown key 'loud'
plan.toml:4 task a.agent.scripted[5]: is not a move: it is empty
  hint: moves are: say, end_turn, write, edit, read, shell, sleep, fail, http_error, drop, hang, spend, call
"""),
        ),
        (
            '{ scripted = [{ call = "t", arguments = { at = 2026-01-01 } }] }',
            snapshot("""\

plan.toml:4 task a.agent.scripted[1].arguments.at: is a date, and a plan has no dates
  hint: put it in quotes
"""),
        ),
    ],
)
def test_an_agent_that_cannot_be_is_refused(agent, expected):
    assert problems(f'[[task]]\nid = "a"\nprompt = "x"\nagent = {agent}') == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("base = \n", "plan.toml:1: is not valid TOML, column 8: "),
        ('a = 1\nb = "', "plan.toml:2: is not valid TOML, at the end: "),
        ("a = 1\na = 2\n", "plan.toml:2: is not valid TOML, column 6: "),
    ],
)
def test_what_is_no_toml_is_refused_by_line(text, expected):
    said = problems(text).strip()
    assert said.startswith(expected)
    assert "(at" not in said  # the place is told once


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "Upper",
            snapshot("""\

plan.toml:2 task Upper.id: the id may not contain 'U'
  hint: such as id = "upper"
"""),
        ),
        (
            "a b/ü",
            snapshot("""\

plan.toml:2 task a b/ü.id: the id may not contain ' ' '/' '\\xfc'
  hint: such as id = "a-b-u"
"""),
        ),
        (
            "-a",
            snapshot("""\

plan.toml:2 task -a.id: the id may not start with '-'
  hint: such as id = "a"
"""),
        ),
        (
            ".a",
            snapshot("""\

plan.toml:2 task .a.id: the id may not start with '.'
  hint: such as id = "a"
"""),
        ),
        (
            "a.lock",
            snapshot("""\

plan.toml:2 task a.lock.id: the id may not end with '.lock'
  hint: such as id = "a-lock"
"""),
        ),
        (
            "a.",
            snapshot("""\

plan.toml:2 task a..id: the id may not end with '.'
  hint: such as id = "a"
"""),
        ),
        (
            "a..b",
            snapshot("""\

plan.toml:2 task a..b.id: the id may not contain '..'
  hint: such as id = "a-b"
"""),
        ),
        (
            "a" * 61,
            snapshot("""\

plan.toml:2 task aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.id: the id is longer than 60 characters
  hint: such as id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
"""),
        ),
    ],
)
def test_an_id_must_be_safe_as_a_branch_and_as_a_file(name, expected):
    assert problems(f'[[task]]\nid = "{name}"\nprompt = "x"') == expected


def test_options_are_checked_together_with_the_file():
    assert problems('[[task]]\nid = "a"\n', Overrides(agent="codx", max_parallel=-1)) == snapshot("""\

plan.toml:1 task a: the task has no prompt
  hint: prompt = "…" or prompt_file = "FILE"
--agent: there is no agent `codx`
  hint: did you mean `codex`?
--max-parallel: must not be negative, but is -1
""")
