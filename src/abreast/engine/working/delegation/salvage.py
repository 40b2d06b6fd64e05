"""What a round came to whose runner was killed: the stream has it, if its CLI had ended before."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from abreast.agents import agent_named
from abreast.model.events import EventKind, Verdict
from abreast.runner.job import STREAM, Result, is_lost, load_job


def heard(directory: Path, result: Result) -> Result:
    """Return the result of a lost round from the last event of its CLI.

    Without that word it stays unknown, and says where the stream is.
    """
    stream = directory / STREAM
    if not is_lost(result) or not stream.exists() or not stream.stat().st_size:
        return result
    ended = stream.stat().st_mtime  # ours is when we looked, perhaps days later
    verdict = _last_word(stream, load_job(directory).agent)
    if verdict is None:
        reason = f"{result.verdict.reason}; what it had said is in {stream}"
        verdict = replace(result.verdict, reason=reason)
    return replace(result, verdict=verdict, ended=ended)


def _last_word(stream: Path, agent: str) -> Verdict | None:
    """Return the verdict on a whole stream; None when it does not end in the CLI's own result."""
    reader, last = agent_named(agent).reader(), None
    for line in _lines(stream):
        for event in reader.feed(line):
            last = event.kind
    # How we found the process says nothing about it: like one that lingers after its result.
    return reader.verdict(0, "") if last is EventKind.RESULT else None


def _lines(stream: Path) -> Iterator[bytes]:
    """Yield the whole lines: the runner may have been killed in the midst of the last one."""
    with stream.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line
