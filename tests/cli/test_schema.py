"""Published schemas: of every verb, and of files. What tests print is held against them by itself.

That is `tests/support/documents.py`, in every test of the suite.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

from abreast.agents import AGENTS
from abreast.api.configuring import file_schema
from abreast.cli.app import VERBS
from abreast.cli.documents import DOCUMENTS
from abreast.cli.edge import guard
from abreast.errors import PlanError
from abreast.plan.parse import parse_plan
from tests.support.documents import check_document

ROOT = Path(__file__).parents[2]
NAMES = ["plan", "abreast.toml", *VERBS]
DRAFT = jsonschema.Draft202012Validator


def test_every_verb_has_documents_and_nothing_else_has() -> None:
    assert set(DOCUMENTS) == set(VERBS)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_printed_is_a_schema(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(["schema", name]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["$schema"] == DRAFT.META_SCHEMA["$id"]
    DRAFT.check_schema(found)
    for part in re.findall(r'"#/\$defs/(\w+)"', json.dumps(found)):
        assert part in found["$defs"]


def test_a_schema_can_be_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(["schema", "status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["name"]) == (1, "status")
    assert found["json_schema"]["title"] == "abreast status --json"
    assert guard(["schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["names"] == NAMES


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(["schema", "statsu"]) == 2
    assert "did you mean `status`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "document",
    [
        {"schema": 1, "path": "/x", "more": 1},
        {"schema": 2, "path": "/x"},
        {"schema": 1, "path": None},
        {"schema": 1},
        {"schema": 1, "error": {"kind": "usage", "message": "no"}},
    ],
)
def test_the_check_of_what_tests_print_sees_what_does_not_fit(document: dict[str, Any]) -> None:
    with pytest.raises(pytest.fail.Exception, match="is not what cli/documents"):
        check_document("path", document)


GOOD = """
agent = { command = "true" }
land = "pr"
[limits]
minutes = 3
[[task]]
id = "a"
prompt = "Do a."
agent = "claude"
[[task]]
id = "b"
prompt_file = "README.md"
agent.scripted = [{ say = "x" }]
"""
BAD = {
    "an unknown key": "landing = 1\n",
    "an unknown agent": 'agent = "clode"\n',
    "an agent that is nothing alone": 'agent = "command"\n',
    "two kinds of agent": 'agent = { command = "x", scripted = [] }\n',
    "a number for a text": "verify = 3\n",
    "a wrong choice": 'land = "later"\n',
    "less than none": "max_parallel = -1\n",
    "an unknown limit": "limits.hours = 1\n",
    "a task without a prompt": '[[task]]\nid = "c"\n',
    "a task with two prompts": '[[task]]\nid = "c"\nprompt = "x"\nprompt_file = "README.md"\n',
    "a task without an id": '[[task]]\nprompt = "x"\n',
}


def read(text: str) -> None:
    parse_plan(text, ROOT / "plan.toml", agents=tuple(AGENTS))


def test_a_plan_fits_and_so_do_those_of_the_documentation() -> None:
    read(GOOD)
    plans = [GOOD]
    for page in ("README.md", "docs/plans.md"):
        plans += re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert len(plans) >= 3
    for text in plans:
        DRAFT(file_schema("plan")).validate(tomllib.loads(text))


@pytest.mark.parametrize("name", ["plan", "settings"])
def test_an_editor_can_tell_what_each_key_means(name: Literal["plan", "settings"]) -> None:
    found = file_schema(name)
    for table in (found, *found["$defs"].values()):
        silent = [key for key, shape in table["properties"].items() if not shape.get("description")]
        assert silent == [], f"plan/key_words.py has no words for these of {table['title']}"


@pytest.mark.parametrize("what", BAD)
def test_an_editor_is_told_what_reading_the_plan_tells(what: str) -> None:
    wrong = BAD[what]
    plain = GOOD.replace('agent = { command = "true" }\nland = "pr"\n', "")
    text = (
        GOOD + wrong
        if wrong.startswith("[[")
        else wrong + plain.replace("[limits]\nminutes = 3\n", "")
    )
    with pytest.raises(PlanError):
        read(text)
    assert not DRAFT(file_schema("plan")).is_valid(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('agent = "codex"\n[delegate]\nlimit_tokens = 500\nprofile = "full"\n', True),
        ("[delegate]\nlimit_tokens = 0\n", False),
        ('[[task]]\nid = "a"\nprompt = "x"\n', False),
    ],
)
def test_settings_have_a_schema(text: str, fits: bool) -> None:
    assert DRAFT(file_schema("settings")).is_valid(tomllib.loads(text)) is fits
