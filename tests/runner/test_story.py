"""A story has an end, however much a program prints."""

import io
import json
import re
from pathlib import Path

from abreast.model.events import Event, EventKind
from abreast.runner.job import STORY, STREAM
from abreast.runner.pump import A_SECOND, MOST, Story
from tests.runner.test_supervise import supervise


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def told(text: str) -> list[str]:
    return [json.loads(line)["text"] for line in text.splitlines()]


def test_many_short_lines_are_told_by_the_first_and_the_last(tmp_path: Path) -> None:
    result = supervise(tmp_path, "sh", "-c", "seq 40000; echo last")
    story = (tmp_path / STORY).read_text()
    # A line is told again after a gap of 8 KiB at the least, with the 20 that it came to late.
    assert len(story) < 2 * (MOST + result.seconds * A_SECOND)
    texts = told(story)
    numbers = [int(text) for text in texts if text.isdecimal()]
    assert numbers[:500] == list(range(1, 501))
    assert texts[-20:] == [*(str(n) for n in range(39_982, 40_001)), "last"]
    gaps = [re.match(r"\(([\d,]+) more lines", text) for text in texts]
    gone = sum(int(gap[1].replace(",", "")) for gap in gaps if gap)
    assert len(numbers) + gone == 40_000
    assert numbers == sorted(numbers)
    assert (tmp_path / STREAM).read_bytes().count(b"\n") == 40_001
    assert result.progress.last_action == "last"


def test_what_comes_slowly_is_told_whole() -> None:
    clock, file = Clock(), io.StringIO()
    story = Story(file, clock)
    for number in range(5 * MOST // 100):  # about 100 bytes each, as fast as is allowed
        clock.now += 100 / A_SECOND
        story.tell(Event(EventKind.TEXT, str(number)))
    assert told(file.getvalue()) == [str(n) for n in range(5 * MOST // 100)]


def test_what_is_no_text_is_never_left_out_and_in_its_place() -> None:
    clock, file = Clock(), io.StringIO()
    story = Story(file, clock)
    for number in range(10_000):
        story.tell(Event(EventKind.TEXT, f"{number} {'x' * 100}"))
    story.tell(Event(EventKind.TOOL, "make"))
    tail = told(file.getvalue())[-21:]
    assert tail[-1] == "make"
    assert [int(text.split()[0]) for text in tail[:-1]] == list(range(9980, 10_000))
    story.tell(Event(EventKind.TEXT, "late"))
    assert told(file.getvalue())[-1] == "make"
    clock.now += 60
    story.tell(Event(EventKind.TEXT, "soon"))
    assert told(file.getvalue())[-2:] == ["late", "soon"]
