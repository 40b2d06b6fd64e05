"""Forks of Codex before 0.150: their files begin with all that another session has used."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import abreast
from abreast.agents.codex import records
from abreast.engine.reading.ledger.read import read
from abreast.model.transcript import Spent
from abreast.store.transcripts import Indexed
from tests.support.ccusage import ccusage, ccusage_binary
from tests.support.recorded_homes import make_places
from tests.support.transcripts import of

FIRST, FORK, SIBLING, GRANDCHILD = (f"01a20000-0000-7000-8000-00000000000{n}" for n in range(4))
FIRST_DAY = 1
USED = ((500, 50), (450, 0))  # by the first session: 950 in, 50 out
OWN = (1200, 0)  # by each of the others, to the same total


def line(at: str, kind: str, payload: dict[str, Any]) -> str:
    return json.dumps({"timestamp": at, "type": kind, "payload": payload}, separators=(",", ":"))


def head(at: str, session: str, origin: str = "") -> str:
    more = {"forked_from_id": origin} if origin else {}
    told = {"id": session, "timestamp": at, "cwd": "/w", "cli_version": "0.140.0", **more}
    return line(at, "session_meta", told)


def turn(at: str) -> str:
    return line(at, "turn_context", {"cwd": "/w", "model": "gpt-5.2"})


def counted(at: str, total: tuple[int, int], last: tuple[int, int]) -> str:
    def told(one: tuple[int, int]) -> dict[str, int]:
        names = ("input_tokens", "output_tokens", "total_tokens")
        counts = dict(zip(names, (*one, sum(one)), strict=True))
        return counts | {"cached_input_tokens": 0, "reasoning_output_tokens": 0}

    info = {"total_token_usage": told(total), "last_token_usage": told(last)}
    return line(at, "event_msg", {"type": "token_count", "info": info})


def history(stamps: Iterable[str]) -> list[str]:
    total, found = (0, 0), []
    for at, used in zip(stamps, USED, strict=True):
        total = (total[0] + used[0], total[1] + used[1])
        found += [turn(at), counted(at, total, used)]
    return found


def first() -> list[str]:
    began = "2026-10-01T10:00:00.000Z"
    return [head(began, FIRST), *history(("2026-10-01T10:00:05.000Z", "2026-10-01T10:01:05.000Z"))]


def fork(session: str, day: int, copied: float = 0.1, origin: str = FIRST) -> list[str]:
    """The copies are written `copied` seconds after each other when it begins."""
    began, at = f"2026-10-{day:02}T10:00:00", iter(range(1, 9))
    stamps = [f"{began[:-2]}{copied * next(at):06.3f}Z" for _ in range(2)]
    return [
        head(f"{began}.000Z", session, origin),
        head(f"{began}.000Z", FIRST),
        *history(stamps),
        turn(f"{began[:-2]}03.000Z"),
        counted(f"{began[:-2]}04.500Z", (950 + OWN[0], 50 + OWN[1]), OWN),
    ]


def write(home: Path, session: str, day: int, lines: list[str]) -> Path:
    name = f"rollout-2026-10-{day:02}T10-00-00-{session}.jsonl"
    path = home / f".codex/sessions/2026/10/{day:02}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{one}\n" for one in lines))
    return path


def look(home: Path) -> Any:
    return abreast.ledger(places=make_places(home), environ={"HOME": str(home)})


GONE = (
    "a fork repeats what another session has used, of which there is no transcript; on which days "
    "is not known, so its 1000 tokens are left out"
)


@pytest.mark.clis
@pytest.mark.parametrize("there", [True, False])
def test_what_forks_repeat_is_not_theirs(tmp_path: Path, there: bool) -> None:
    """Siblings that went on by as much have each spent it."""
    if there:
        write(tmp_path, FIRST, FIRST_DAY, first())
    write(tmp_path, FORK, 5, fork(FORK, 5))
    write(tmp_path, SIBLING, 6, fork(SIBLING, 6))
    found = look(tmp_path)
    days = {row.name: (row.input_tokens, row.output_tokens) for row in found.rows}
    assert days == {
        **({"2026-10-01": (950, 50)} if there else {}),
        "2026-10-05": OWN,
        "2026-10-06": OWN,
    }
    assert found.notes == (() if there else (f"2 transcripts: {GONE}",))
    theirs = ccusage(ccusage_binary(tmp_path), tmp_path, "daily")
    assert {day.split()[1]: (c[0], c[3]) for day, c in theirs.items()} == days


def test_what_a_session_has_used_that_went_on_by_as_much_is_its_own(tmp_path: Path) -> None:
    later = counted("2026-10-07T10:00:05.000Z", (950 + OWN[0], 50 + OWN[1]), OWN)
    write(tmp_path, FIRST, FIRST_DAY, [*first(), turn("2026-10-07T10:00:00.000Z"), later])
    write(tmp_path, FORK, 5, fork(FORK, 5))
    found = look(tmp_path)
    assert (found.total.input_tokens, found.total.output_tokens) == (950 + 2 * OWN[0], 50)


def test_a_transcript_that_was_read_before_it_went_is_known(tmp_path: Path) -> None:
    path = write(tmp_path, FIRST, FIRST_DAY, first())
    assert look(tmp_path).total.input_tokens == 950
    path.unlink()
    write(tmp_path, FORK, 5, fork(FORK, 5))
    found = look(tmp_path)
    assert found.total.input_tokens == 950 + OWN[0]
    assert [note for note in found.notes if "repeats" in note] == []


def test_a_fork_of_a_fork(tmp_path: Path) -> None:
    again = fork(GRANDCHILD, 8, origin=FORK)
    total = (950 + OWN[0], 50 + OWN[1])
    again.insert(-2, counted("2026-10-08T10:00:00.300Z", total, OWN))
    more = (total[0] + 7, total[1] + 1)
    again[-1] = counted("2026-10-08T10:00:05.000Z", more, (7, 1))
    for session, day, lines in ((FORK, 5, fork(FORK, 5)), (GRANDCHILD, 8, again)):
        write(tmp_path, session, day, lines)
    found = look(tmp_path)
    assert (found.total.input_tokens, found.total.output_tokens) == (OWN[0] + 7, OWN[1] + 1)


@pytest.mark.parametrize("copied", [0.0, 0.1, 0.2])
def test_a_copy_is_told_by_its_time_also_when_read_in_pieces(tmp_path: Path, copied: float) -> None:
    lines = fork(FORK, 5, copied)
    for end in range(1, len(lines)):
        home = tmp_path / f"{end}"
        path = write(home, FORK, 5, lines[:end])
        before = read(Indexed(str(path), "codex"))
        write(home, FORK, 5, lines)
        now = read(before.row)
        assert not now.whole
        found = [one.prompt for part in (before, now) for one in part.row.tallies]
        assert found == [OWN[0]], end


def test_what_is_told_of_a_fork_has_its_copies_under_their_names(tmp_path: Path) -> None:
    """By which the doctor leaves them out."""
    origin = records.read(write(tmp_path, FIRST, FIRST_DAY, first()))
    copy = records.read(write(tmp_path, FORK, 5, fork(FORK, 5)))
    told = [[one.id for one in of(Spent, session)] for session in (origin, copy)]
    assert told[1][:2] == told[0]
    assert len(told[1]) == 3
    assert copy.session == FORK
