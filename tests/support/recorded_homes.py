"""A HOME with recordings of the real CLIs, and what the model server stated of them."""

import contextlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from abreast.model.economy import LedgerRow
from abreast.places import Places

FIXTURES = Path(__file__).parents[1] / "recordings"
PLACE = {"claude": ".claude", "codex": ".codex", "gemini": "."}

Counts = tuple[int, int, int, int]
"""Tokens: of prompts, of those cached and written, of output."""


def recordings(agent: str) -> list[str]:
    return sorted(path.parent.name for path in (FIXTURES / agent).glob("*/wire.json"))


def install(home: Path, agent: str, name: str) -> None:
    """Put a recording where the CLI would have it."""
    shutil.copytree(FIXTURES / agent / name, home / PLACE[agent], dirs_exist_ok=True)


def make_places(folder: Path) -> Places:
    return Places(folder / "state", f"sqlite:///{folder}/state/abreast.db")


def wire(agent: str, name: str) -> list[dict[str, Any]]:
    """What the server stated, of all that the CLI has put on record."""
    stated: list[dict[str, Any]] = json.loads((FIXTURES / agent / name / "wire.json").read_text())
    return [one for one in stated if not one.get("lost")]


def total(stated: Iterable[dict[str, Any]]) -> Counts:
    sums = Counter[str]()
    for one in stated:
        sums.update({key: one.get(key, 0) for key in ("input", "cached", "written", "output")})
    return sums["input"], sums["cached"], sums["written"], sums["output"]


def counts(row: LedgerRow) -> Counts:
    return row.input_tokens, row.cached_tokens, row.written_tokens, row.output_tokens


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Take every right to a folder away; root, whom that does not stop, is somebody else so long.

    All that is imported then must be so already: root's Python may lie where only root can look.
    """
    root = os.geteuid() == 0
    mode = folder.stat().st_mode
    folder.chmod(0)
    if root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)


@contextlib.contextmanager
def anybody() -> Iterator[Path]:
    """A temporary folder in which `locked` works; what is in it has to be given away to anybody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


_NOBODY = 65_534
