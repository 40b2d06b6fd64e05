"""Recorded homes to look at, each in a place of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast import api
from abreast.agents import records_of
from abreast.engine.reading.transcripts import find_transcripts
from abreast.model.finding import Diagnosis
from abreast.model.transcript import Transcript
from abreast.places import Places
from tests.recordings.doctor.record import RECORDED

Home = Callable[[str], Path]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "state", f"sqlite:///{tmp_path / 'state' / 'abreast.db'}")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A copy of a recorded home: written now, whenever the checkout was made."""

    def make(name: str) -> Path:
        target = tmp_path / "homes" / name
        shutil.copytree(RECORDED / name, target, copy_function=shutil.copyfile)
        return target

    return make


@pytest.fixture
def diagnose(
    tmp_path: Path, places: Places, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Diagnosis]:
    """The doctor over one home, with no repository and no CLI around."""
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    monkeypatch.chdir(nowhere)

    def look(home: Path, repo: Path | None = None, since: float = 0.0) -> Diagnosis:
        environ = {"HOME": str(home), "PATH": ""}
        return api.doctor(since=since, repo=repo, environ=environ, places=places)

    return look


@pytest.fixture
def transcripts(home: Home, places: Places) -> Callable[[str], list[Transcript]]:
    """The sessions of a recorded home, without their subagents by themselves."""

    def read(name: str) -> list[Transcript]:
        found = find_transcripts(places, {"HOME": str(home(name))})
        read = [records_of(one.agent).read(one.path) for one in found]
        return [one for one in read if not one.parent]

    return read
