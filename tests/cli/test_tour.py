"""The first hour of the documentation, typed by a new user: each command, and what it shows.

A line of the page must come out, among others; `…` in it stands for anything.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from abreast.places import find_places
from tests.support.deadlines import SECONDS
from tests.support.repos import Repo
from tests.support.stage import Stage
from tests.support.users import PROGRAM

PAGE = Path(__file__).parents[2] / "docs" / "tour.md"
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FAILS = "  # exits with 1"
NOT_RUN = "sh"  # what needs a login


@dataclass(frozen=True)
class Typed:
    """A command of the page, and the lines that it shows."""

    command: str
    lines: tuple[str, ...]

    @property
    def code(self) -> int:
        return int(FAILS in self.command)


def typed_in(block: str) -> Iterator[Typed]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        yield Typed(command, tuple(lines))


@pytest.fixture
def shop(scratch_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of a user who has just installed abreast."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}:{os.environ['PATH']}")
    with Stage(find_places().make(), Repo(folder)):
        yield folder


def test_a_line_that_does_not_come_out_is_missed(tmp_path: Path) -> None:
    check(Typed("echo one; echo two three", ("two …", "one")), tmp_path)
    for wrong in (Typed("echo one", ("two",)), Typed("echo one  # exits with 1", ())):
        with pytest.raises(AssertionError, match="echo one"):
            check(wrong, tmp_path)


def test_the_first_hour_is_as_its_page_says(shop: Path) -> None:
    run = 0
    for kind, block in FENCED.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "console":
            for typed in typed_in(block):
                check(typed, shop)
                run += 1
        elif kind != NOT_RUN:
            name, _, text = block.partition("\n")
            file = shop / name.removeprefix("# ")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    assert run >= 20


def check(typed: Typed, folder: Path) -> None:
    """Run a command, and look for its lines in what it prints."""
    done = subprocess.run(
        ["bash", "-c", typed.command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == typed.code, f"$ {typed.command}\n{done.stdout}"
    printed = done.stdout.splitlines()
    for line in typed.lines:
        pattern = ".*".join(re.escape(part.strip()) for part in line.split("…"))
        found = any(re.fullmatch(rf"\s*{pattern}\s*", one) for one in printed)
        assert found, f"$ {typed.command}\nno line is `{line}` in:\n{done.stdout}"
