"""A plan file becomes a plan, or a list of everything that is wrong with it."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from inline_snapshot import snapshot

from abreast.errors import PlanError
from abreast.model.limits import Limits
from abreast.model.moves import Say, Write
from abreast.model.session import LandMode
from abreast.model.task import AgentChoice, Plan, Task
from abreast.plan.options import NO_OVERRIDES, Overrides
from abreast.plan.parse import parse_plan, read_plan_file

AGENTS = ("claude", "codex", "gemini", "command", "scripted")


def parse(text, options=NO_OVERRIDES):
    return parse_plan(dedent(text), Path("plan.toml"), options, agents=AGENTS)


FULL = """\
    base = "main"
    target = "release"
    verify = "pytest -q"
    setup = "make deps"
    agent = "codex"
    model = "m"
    max_parallel = 3
    land = "merge"
    pass_env = ["NPM_TOKEN", "AWS_*"]
    pool = 4
    setup_timeout_minutes = 5
    verify_timeout_minutes = 7.5
    limits = { minutes = 30, usd = 2 }

    [[task]]
    id = "retry-http"
    produces = "HTTP client retries idempotent requests."
    prompt = '''
    Retry.

    [[task]]
    id = "not a task"
    '''
    paths = ["src/http/**"]

    [[task]]
    id = "csv.export_2"
    prompt = "Export.\\nAs CSV."
    needs = ["retry-http", "retry-http"]
    resources = ["db:5432"]
    agent = { command = "ruff check --fix ." }
    model = ""
    setup = ""
    verify = "make test"
    changes = false

      [task.limits]
      turns = 9
      minutes = 0

    [[task]]
    id = "play"
    prompt = "play"
    [[task.agent.scripted]]
    write = "a.txt"
    text = "a"
    [[task.agent.scripted]]
    say = "done"
"""


def test_every_key_has_its_effect():
    parsed = parse(FULL)
    assert parsed.warnings == ()
    assert parsed.plan == Plan(
        tasks=(
            Task(
                id="retry-http",
                prompt='Retry.\n\n[[task]]\nid = "not a task"\n',
                produces="HTTP client retries idempotent requests.",
                agent=AgentChoice("codex"),
                paths=("src/http/**",),
                model="m",
                setup="make deps",
                verify="pytest -q",
                limits=Limits(minutes=30, usd=2),
            ),
            Task(
                id="csv.export_2",
                prompt="Export.\nAs CSV.",
                produces="Export.",
                agent=AgentChoice("command", command="ruff check --fix ."),
                needs=("retry-http",),
                resources=("db:5432",),
                model="",
                setup="",
                verify="make test",
                changes=False,
                limits=Limits(minutes=0, turns=9, usd=2),
            ),
            Task(
                id="play",
                prompt="play",
                produces="play",
                agent=AgentChoice("scripted", moves=(Write("a.txt", "a"), Say("done"))),
                model="m",
                setup="make deps",
                verify="pytest -q",
                limits=Limits(minutes=30, usd=2),
            ),
        ),
        base="main",
        target="release",
        max_parallel=3,
        land=LandMode.MERGE,
        setup_timeout_minutes=5,
        verify_timeout_minutes=7.5,
        pass_env=("NPM_TOKEN", "AWS_*"),
        pool=4,
        source="plan.toml",
    )


def test_a_plan_needs_no_more_than_a_task_with_an_id_and_a_prompt():
    plan = parse('[[task]]\nid = "a"\nprompt = "do a"\n').plan
    assert plan == Plan((Task("a", "do a", "do a", AgentChoice("claude")),), source="plan.toml")


def test_options_go_over_defaults_but_not_over_what_a_task_says():
    options = Overrides("gemini", "big", "v", "s", "dev", LandMode.NONE, 9)
    plan = parse(FULL, options).plan
    first, second, third = plan.tasks
    assert (plan.base, plan.land, plan.max_parallel) == ("dev", LandMode.NONE, 9)
    assert (first.agent.name, first.model, first.verify, first.setup) == ("gemini", "big", "v", "s")
    assert (second.agent.name, second.model, second.verify, second.setup) == (
        "command",
        "",
        "make test",
        "",
    )
    assert third.agent.name == "scripted"


@pytest.mark.parametrize("name", ["a", "0", "_a", "a-b_c.d", "a" * 60, "lock", "a.locked"])
def test_ordinary_ids_are_taken(name):
    assert parse(f'[[task]]\nid = "{name}"\nprompt = "x"').plan.tasks[0].id == name


def test_what_may_be_unwise_is_a_warning():
    parsed = parse(f"""\
        [[task]]
        id = "a"
        prompt = "x"
        produces = "A thing. And another, e.g. this one. {"x" * 80}"
        [[task]]
        id = "b"
        prompt = "x"
        produces = "A thing, e.g. this one (v. 2), for i.e. all."
    """)
    assert "\n".join(["", *map(str, parsed.warnings), ""]) == snapshot("""\

plan.toml:4 task a.produces: is 117 characters long; it becomes the subject of a commit
  hint: say in one sentence of up to 100 characters what the task produces
plan.toml:4 task a.produces: is more than one sentence
  hint: what one sentence cannot say may be more than one task
""")
    assert parsed.plan.tasks[0].produces.startswith("A thing. And another")


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_bytes(b'\xef\xbb\xbf[[task]]\r\nid = "a"\r\nprompt = """x\r\ny"""\r\n')
    assert read_plan_file(file, agents=AGENTS).plan.tasks[0].prompt == "x\ny"


def test_a_prompt_may_be_a_file_beside_the_plan(tmp_path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "a.md").write_text("# Do it\n\nWith ä.\n", encoding="utf-8")
    plan_file = tmp_path / "plan.toml"
    plan_file.write_text('repo = ".."\n[[task]]\nid = "a"\nprompt_file = "prompts/a.md"\n')
    plan = read_plan_file(plan_file, agents=AGENTS).plan
    assert plan.tasks[0].prompt == "# Do it\n\nWith ä.\n"
    assert plan.tasks[0].produces == "Do it"
    assert plan.repo == str(tmp_path.parent)
    assert plan.source == str(plan_file)


def test_a_byte_order_mark_is_no_part_of_a_prompt(tmp_path):
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbf# Do it\r\n")
    (tmp_path / "plan.toml").write_text('[[task]]\nid = "a"\nprompt_file = "a.md"\n')
    [task] = read_plan_file(tmp_path / "plan.toml", agents=AGENTS).plan.tasks
    assert (task.prompt, task.produces) == ("# Do it\n", "Do it")


def test_a_prompt_file_that_never_ends_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    for name in ("pipe.md", "/dev/zero", "."):
        (tmp_path / "plan.toml").write_text(f'[[task]]\nid = "a"\nprompt_file = "{name}"\n')
        with pytest.raises(PlanError, match="is not a file"):
            read_plan_file(tmp_path / "plan.toml", agents=AGENTS)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"a\0", "NUL"), (b"\xff", "UTF-8")]
)
def test_a_prompt_file_must_hold_a_prompt(tmp_path, content, said):
    (tmp_path / "a.md").write_bytes(content)
    (tmp_path / "plan.toml").write_text('[[task]]\nid = "a"\nprompt_file = "a.md"\n')
    with pytest.raises(PlanError, match=said) as found:
        read_plan_file(tmp_path / "plan.toml", agents=AGENTS)
    assert len(found.value.problems) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file or directory"), (b"\xff", "it is not UTF-8")],
)
def test_a_plan_file_that_cannot_be_read_is_a_problem(tmp_path, content, said):
    file = tmp_path / "plan.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PlanError, match=said):
        read_plan_file(file, agents=AGENTS)


def test_pydantic_is_loaded_only_to_read_a_file():
    script = (
        "import sys\n"
        "import abreast.plan.parse, abreast.plan.options, abreast.plan.dump\n"
        "print('pydantic' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
