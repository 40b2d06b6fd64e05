"""What the tests of every CLI's transcripts ask of one, and which files were opened for it."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abreast.agents.parts import Records
from abreast.model.transcript import Called, Returned, Said, Transcript


def finder(records: Records) -> Callable[..., list[Path]]:
    """Return what lists the transcripts of an agent that keeps these records."""

    def find(environ: Mapping[str, str], also: Iterable[Path] = ()) -> list[Path]:
        return [Path(one.path) for one in records.scan(environ, also)]

    return find


_OPENED: list[str] = []
_WATCHING: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _WATCHING and event in {"open", "os.scandir"} and not isinstance(arguments[0], int):
        _OPENED.append(os.fsdecode(arguments[0]))


sys.addaudithook(_watch)


@contextmanager
def watching() -> Iterator[list[str]]:
    """Tell every file and folder that is opened, as it was named."""
    _OPENED.clear()
    _WATCHING.append(True)
    try:
        yield _OPENED
    finally:
        _WATCHING.clear()


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def of(kind: type, transcript: Transcript) -> list[Any]:
    return [event for event in transcript.events if isinstance(event, kind)]


def shape(transcript: Transcript) -> list[tuple[Any, ...]]:
    """Calls with what came of them at last."""
    back = {event.id: event for event in of(Returned, transcript)}
    return [
        (c.kind, c.subject, c.paths, back[c.id].failed, back[c.id].code)
        for c in of(Called, transcript)
        if c.id in back
    ]


def talk(transcript: Transcript) -> list[tuple[bool, str]]:
    return [(event.by_user, event.text) for event in of(Said, transcript)]
