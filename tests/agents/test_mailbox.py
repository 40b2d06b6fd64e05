"""The mailbox: every letter is delivered once, in order, whoever asks at the same moment."""

import shlex
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from abreast.agents.base import Letter
from abreast.agents.mailbox import Mail, command, pending, post, script, take, taken
from tests.support.deadlines import SECONDS


def letter(text: str) -> Letter:
    return Letter(f"tool says {text}", f"turn says {text}")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A mailbox that does not exist yet, with a name that a shell would trip over."""
    return tmp_path / "it's a $HOME box" / "mailbox"


@pytest.fixture
def hook(tmp_path: Path) -> Path:
    file = tmp_path / "the hook.sh"
    file.write_text(script())
    return file


def call(hook: Path, box: Path, point: str, **more: object) -> str:
    """What one call of the hook prints; it never fails and never complains."""
    done = subprocess.run(
        ["/bin/sh", "-c", command(hook, box, point)],
        input='{"hook_event_name": "PostToolUse"}\n',
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        **more,  # type: ignore[call-overload]
    )
    assert (done.returncode, done.stderr) == (0, "")
    return str(done.stdout)


def test_no_mail_is_silence(box: Path, hook: Path) -> None:
    assert call(hook, box, "tool") == ""
    box.mkdir(parents=True)
    assert call(hook, box, "turn") == ""
    assert not list(box.iterdir())
    assert pending(box) == []
    assert taken(box, 1) == ""


def test_letters_come_one_at_a_time_the_oldest_first(box: Path, hook: Path) -> None:
    assert [post(box, letter(f"{n}"), f"text {n}") for n in range(1, 12)] == list(range(1, 12))
    assert box.stat().st_mode & 0o777 == 0o700
    assert pending(box) == [Mail(n, f"text {n}") for n in range(1, 12)]
    assert call(hook, box, "tool") == "tool says 1\n"
    assert call(hook, box, "turn") == "turn says 2\n"
    assert [taken(box, n) for n in (1, 2, 3)] == ["tool", "turn", ""]
    assert [call(hook, box, "tool") for _ in range(9)] == [f"tool says {n}\n" for n in range(3, 12)]
    assert call(hook, box, "tool") == ""
    assert pending(box) == []
    assert post(box, letter("12"), "text 12") == 12


def test_a_letter_taken_for_a_prompt_is_not_delivered(box: Path, hook: Path) -> None:
    first, second = post(box, letter("a"), "a"), post(box, letter("b"), "b")
    assert take(box, first)
    assert not take(box, first)
    assert taken(box, first) == "prompt"
    assert call(hook, box, "tool") == "tool says b\n"
    assert not take(box, second)
    assert taken(box, second) == "tool"


def test_a_hook_may_print_the_other_form(box: Path, hook: Path) -> None:
    post(box, letter("a"), "a")
    line = ["/bin/sh", "-c", command(hook, box, "tool", "turn")]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    assert (done.stdout, taken(box, 1)) == (b"turn says a\n", "tool")


def test_twenty_hooks_at_once_take_each_letter_once(box: Path, hook: Path) -> None:
    for n in range(1, 6):
        post(box, letter(f"{n}"), f"{n}")
    points = ["tool", "turn"] * 10
    # One shell starts them all and waits: they run at the same moment.
    calls = [
        f"{command(hook, box, point)} </dev/null >{shlex.quote(f'{box}/out-{number}')} &"
        for number, point in enumerate(points)
    ]
    subprocess.run(["/bin/sh", "-c", "\n".join([*calls, "wait"])], check=True, timeout=SECONDS)
    printed = {n: (box / f"out-{n}").read_text() for n in range(20)}
    said = Counter(text.rpartition(" ")[2].strip() for text in printed.values() if text)
    assert said == {f"{n}": 1 for n in range(1, 6)}
    for number, text in printed.items():
        if text:
            point, _, which = text.strip().split()
            assert (point, taken(box, int(which))) == (points[number], points[number])
    assert pending(box) == []


def test_letters_posted_at_once_have_numbers_of_their_own(box: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: post(box, letter(f"{n}"), f"{n}"), range(24)))
    assert sorted(numbers) == list(range(1, 25))
    assert {mail.number: mail.text for mail in pending(box)} == {
        number: f"{text}" for text, number in enumerate(numbers)
    }


def test_a_letter_half_written_is_passed_over(box: Path, hook: Path) -> None:
    box.mkdir(parents=True)
    (box / "1.tool.json").touch()  # whoever posted it died
    assert post(box, letter("x"), "x") == 2
    assert call(hook, box, "tool") == "tool says x\n"


def test_it_needs_no_path_and_reads_all_that_it_is_sent(box: Path, hook: Path) -> None:
    post(box, letter("x"), "x")
    assert call(hook, box, "tool", env={}) == "tool says x\n"
    pipe = f"{shlex.quote(sys.executable)} -c 'print(\"x\" * 2_000_000)' | "
    big = subprocess.run(
        ["/bin/sh", "-c", pipe + command(hook, box, "tool")], capture_output=True, check=False
    )
    assert (big.returncode, big.stdout, big.stderr) == (0, b"", b"")
