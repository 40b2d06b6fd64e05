"""A child's answer judged within a bounded time, whatever its contract's JSON Schema asks for.

A regular expression can take for ever on a text that a child chose, and no thread of Python can be
stopped in it. So schemas that can run away are held against the answer in a process of their own.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from abreast.codec import dump, load
from abreast.contract.judge import Judged, judge
from abreast.errors import CommandError
from abreast.model.task import Contract
from abreast.process.command import run
from abreast.process.environment import allow

_SECONDS = 10  # of CPU time: a machine that is busy, or asleep, says nothing about an answer
_PATIENCE = 12.0  # times as long until we stop waiting for them
# What takes more time than the size of the answer tells: regular expressions, comparisons of each
# with each, and schemas that refer to one another.
_RUN_AWAY = frozenset({"pattern", "patternProperties", "uniqueItems", "$ref", "$dynamicRef"})


def judge_in_time(said: str, contract: Contract) -> Judged:
    """Return `judge(said, contract)`; an answer that takes too long to check is invalid."""
    if isinstance(contract.returns, str) or not _RUN_AWAY & {*_words(contract.returns)}:
        return judge(said, contract)
    argv = [sys.executable, "-I", "-m", "abreast.engine.working.delegation.judging"]
    asked = json.dumps({"said": said, "returns": contract.returns, "seconds": _SECONDS})
    try:
        done = run(argv, env=allow(os.environ), stdin=asked, timeout=_SECONDS * _PATIENCE)
    except CommandError:
        what = f"the answer: could not be checked against the JSON Schema within {_SECONDS} s"
        return Judged(tuple(said.strip().split("\n")), problems=(what,))
    return load(Judged, json.loads(done.stdout), "what the check of an answer has found")


def _words(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        yield from part
        part = part.values()
    elif not isinstance(part, list):
        return
    for one in part:
        yield from _words(one)


def _main() -> None:
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the signal at the limit would leave a dump
    resource.setrlimit(resource.RLIMIT_CPU, (asked["seconds"], asked["seconds"]))
    found = judge(asked["said"], Contract("", returns=asked["returns"]))
    json.dump(dump(found), sys.stdout)


if __name__ == "__main__":
    _main()
