"""What a fork server tells a runner that it has forked: its job, and how to go about it."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast import codec
from abreast.runner.successor import Successor, parse_successor

FORK_SERVER = "--fork-server"
ROOM = " " * 512  # the server's last argument; a runner writes its folder over it
NOBODY = "0" * 32  # the server's marker, as long as any; a runner writes its own over it


@dataclass(frozen=True)
class RunnerOrder:
    """The job in `directory` is to be run with the environment `env`, and logged to `log`."""

    directory: str
    env: Mapping[str, str]
    log: str
    successor: str = ""  # as `Successor.to_bytes` has it

    def to_bytes(self) -> bytes:
        return codec.text(self, ensure_ascii=True).encode() + b"\n"

    def take(self) -> tuple[Path, Successor | None]:
        """Become that runner; return its folder and its successor."""
        os.environ.clear()
        os.environ.update(self.env)
        time.tzset()
        os.chdir(self.directory)
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        return Path(self.directory), parse_successor(self.successor.encode())


def parse_order(raw: bytes) -> RunnerOrder | None:
    """Return what `RunnerOrder.to_bytes` has written, or None when that was not all."""
    if not raw.endswith(b"\n"):
        return None
    return codec.load(RunnerOrder, json.loads(raw), "what a runner is told")
