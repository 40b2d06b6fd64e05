"""What is no terminal gets whole values and whole lines."""

import io
from dataclasses import replace

import pytest
from rich.console import RenderableType
from rich.text import Text

from abreast.cli import table
from abreast.cli.console import Column, Grid, OurConsole
from abreast.model.session import SessionState
from abreast.process import clock
from tests.cli import values

LONG = "a-name-that-is-longer-than-the-eighty-columns-" * 3


@pytest.fixture(autouse=True)
def a_width_left_by_readline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def piped(shown: RenderableType) -> list[str]:
    file = io.StringIO()
    OurConsole(file=file).print(shown)
    return file.getvalue().splitlines()


def test_a_table_in_a_pipe_is_not_cut() -> None:
    columns = (Column("a", least=4), Column("fills", least=4, fill=True), Column("last"))
    lines = piped(Grid(columns, [(Text(LONG), Text(LONG), Text("last"))]))
    assert lines[1].split() == [LONG, LONG, "last"]
    assert {len(line) for line in lines} == {2 * len(LONG) + len("last") + 4}


def test_prose_in_a_pipe_is_not_wrapped() -> None:
    run = values.landed()
    broken = replace(run.sessions[0], state=SessionState.FAILED, reason=" ".join(["word"] * 60))
    lines = piped(table.closing(replace(run, sessions=(broken,), note=LONG), clock.now()))
    assert any(line.endswith(" ".join(["word"] * 60)) for line in lines)
    assert f"note: {LONG}" in lines
