"""Starts a worker for a job's result if none is running when the job ends.

A worker can die at any time: by `kill -9`, without memory, without its database. Agents keep
running under their runners; without this, their results would wait until a user runs a command.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast import codec
from abreast.process.command import spawn_detached
from abreast.process.files import load_as
from abreast.process.identity import Identity


@dataclass(frozen=True)
class Successor:
    """How to start a worker: by what, and where it tells who it is. Its environment is private."""

    worker_file: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str  # the folder of our state
    log: str

    def to_bytes(self) -> bytes:
        return codec.text(self, ensure_ascii=True).encode()

    @property
    def places(self) -> Mapping[str, str]:
        """The variables that name the state folder and the database to others."""
        return {"ABREAST_STATE_DIR": self.cwd, "ABREAST_DB": self.env.get("ABREAST_DB", "")}

    def start_if_needed(self) -> None:
        """Start a worker unless one lives; raises OSError."""
        if find(Path(self.worker_file)) is None:
            spawn_detached(self.argv, cwd=Path(self.cwd), env=self.env, log=Path(self.log))


def find(worker_file: Path) -> Identity | None:
    """Return the living worker that has written this file, or None."""
    identity = load_as(Identity, worker_file)
    return identity if identity and identity.alive else None


def read_input() -> bytes:
    """Return what our standard input holds, and close that: no job of ours shall read it."""
    with os.fdopen(os.dup(0), "rb") as file:
        raw = file.read()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return raw


def parse_successor(raw: bytes) -> Successor | None:
    """Return what `Successor.to_bytes` has written, or None where nothing is."""
    if not raw:
        return None
    return codec.load(Successor, json.loads(raw), "what a runner is told of its successor")
