"""A runner that has started before there is a job for it: most of a short job is that start.

`python -m abreast.runner --spare` reads one order from its standard input, and ends if there is
none: at the latest when whoever started it has ended.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from abreast import codec
from abreast.runner.successor import Successor, parse_successor

SPARE = "--spare"


@dataclass(frozen=True)
class SpareOrder:
    """The job in `directory` is to be run with the environment `env`, and logged to `log`."""

    directory: str
    env: Mapping[str, str]
    log: str
    successor: str = ""  # as `Successor.to_bytes` has it

    def to_bytes(self) -> bytes:
        return codec.text(self, ensure_ascii=True).encode()


def take_order(raw: bytes) -> tuple[Path, Successor | None] | None:
    """Become the runner that an order asks for; return its folder and its successor."""
    if not raw:
        return None
    order = codec.load(SpareOrder, json.loads(raw), "what a spare runner is told")
    os.environ.clear()
    os.environ.update(order.env)
    os.chdir(order.directory)
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    return Path(order.directory), parse_successor(order.successor.encode())
