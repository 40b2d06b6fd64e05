"""Help of every verb: there, terse, quick, and free of heavy imports."""

import subprocess
import sys

import click
import pytest

from abreast.cli.app import VERBS, abreast

HEAVY = ("dbos", "sqlalchemy", "alembic", "pydantic", "rich", "psutil", "abreast.engine")


def context(name: str) -> click.Context:
    return click.Context(VERBS[name].load(), info_name=f"abreast {name}")


def modules_after(*arguments: str) -> set[str]:
    """Return what is imported once `abreast ARGUMENTS` has ended."""
    code = (
        "import sys; from abreast.cli import main; assert main(sys.argv[1:]) == 0;"
        "sys.stderr.write('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert "Usage: abreast" in done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize("name", [None, *VERBS])
def test_help_imports_nothing_heavy(name):
    imported = modules_after(*([name] if name else []), "--help")
    assert imported.isdisjoint(HEAVY)
    verbs = {f"abreast.cli.{verb.module}" for verb in VERBS.values()}
    assert imported & verbs == ({f"abreast.cli.{VERBS[name].module}"} if name else set())


@pytest.mark.parametrize("name", VERBS)
def test_the_line_in_the_list_is_the_first_of_the_help(name):
    command = VERBS[name].load()
    assert command.name == name
    assert command.help.splitlines()[0] == VERBS[name].line
    assert not VERBS[name].line.endswith(".")
    assert len(VERBS[name].line) <= 70


@pytest.mark.parametrize("name", VERBS)
def test_every_option_is_explained_and_json_is_everywhere(name):
    parameters = VERBS[name].load().params
    assert [p.name for p in parameters if not p.help] == []
    assert [p.name for p in parameters if p.help.endswith(".")] == []
    assert "json" in {p.name for p in parameters}


@pytest.mark.parametrize("name", VERBS)
def test_help_fits_80_columns(name):
    with context(name) as ctx:
        assert max(map(len, ctx.get_help().splitlines())) <= 80


def test_a_misspelt_verb_is_corrected(capsys):
    with pytest.raises(click.UsageError, match="Did you mean 'status'"):
        abreast.main(["stats"], standalone_mode=False)


def test_the_list_shows_every_verb_once():
    with click.Context(abreast, info_name="abreast") as ctx:
        shown = ctx.get_help()
    assert [shown.count(f"\n  {name} ") for name in VERBS] == [1] * len(VERBS)
