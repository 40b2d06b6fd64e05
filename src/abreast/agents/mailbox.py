"""Letters to a running session: a folder that the hooks of its CLI look into at every tool call.

A letter `n` is three files: `n.tool.json` and `n.turn.json`, what a hook prints, and `n.txt`, the
plain text. Whoever renames `n.txt` has taken the letter: a rename succeeds once, however many try.
"""

import contextlib
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from abreast.agents.base import Letter
from abreast.process.files import write_atomic

TOOL, TURN, PROMPT = "tool", "turn", "prompt"
"""Who takes a letter: a hook after a tool call, at the end of a turn, or we for a prompt."""
NOBODY = "nobody"  # it is taken back


@dataclass(frozen=True)
class Mail:
    """A letter that nobody has taken yet."""

    number: int
    text: str


def script() -> str:
    """Return the hook: a POSIX shell script that prints at most one letter, the oldest.

    Its arguments are the mailbox, the point (`tool` or `turn`) and perhaps the form. It always
    exits 0, and prints nothing when there is no mail.
    """
    return _SCRIPT


def command(script_path: Path, mailbox: Path, point: str, form: str = "") -> str:
    """Return the shell command that runs the script, which must be there as a file.

    `form` is the one of a letter's two that is printed, where it is not the one of the `point`.
    """
    forms = (form,) if form else ()
    return shlex.join(("/bin/sh", str(script_path), str(mailbox), point, *forms))


def post(mailbox: Path, letter: Letter, text: str) -> int:
    """Put a letter, and its plain `text`, into the mailbox; return its number, from 1.

    Makes the folder where there is none. No number is ever given twice.
    """
    mailbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = _reserve(mailbox)
    write_atomic(mailbox / f"{number}.{TOOL}.json", _line(letter.tool))
    write_atomic(mailbox / f"{number}.{TURN}.json", _line(letter.turn))
    write_atomic(mailbox / f"{number}.txt", text)  # the last one: from now on it can be taken
    return number


def take(mailbox: Path, number: int, point: str = PROMPT) -> bool:
    """Take a letter, so that no hook delivers it; False when somebody already has."""
    try:
        (mailbox / f"{number}.txt").rename(mailbox / f"{number}.{point}.txt")
    except FileNotFoundError:
        return False
    return True


def taken(mailbox: Path, number: int) -> str:
    """Return at which point a letter was taken (`tool`, `turn`, `prompt`); "" when it was not."""
    points = (TOOL, TURN, PROMPT)
    return next((p for p in points if (mailbox / f"{number}.{p}.txt").exists()), "")


def pending(mailbox: Path) -> list[Mail]:
    """Return the letters that nobody has taken, the oldest first."""
    found = []
    for number in _numbers(mailbox):
        with contextlib.suppress(FileNotFoundError):  # taken meanwhile, or still being written
            file = mailbox / f"{number}.txt"
            text = file.read_text(encoding="utf-8", errors="surrogateescape")
            found.append(Mail(number, text))
    return found


def read(mailbox: Path, number: int) -> str:
    """Return the text of a letter, whether a prompt has taken it or nobody."""
    for name in (f"{number}.txt", f"{number}.{PROMPT}.txt"):
        with contextlib.suppress(FileNotFoundError):
            return (mailbox / name).read_text(encoding="utf-8", errors="surrogateescape")
    return ""


def find(mailbox: Path, text: str) -> int:
    """Return the number of the first letter of this very text that was not taken back, or 0."""
    return next((mail.number for mail in _not_taken_back(mailbox) if mail.text == text), 0)


def tells(mailbox: Path, text: str) -> bool:
    """Return whether a letter has this text in it, taken or not, that was not taken back."""
    return any(text in mail.text for mail in _not_taken_back(mailbox))


def _not_taken_back(mailbox: Path) -> Iterator[Mail]:
    for number in _numbers(mailbox):
        for point in ("", *(f".{name}" for name in (TOOL, TURN, PROMPT))):
            with contextlib.suppress(FileNotFoundError):
                file = mailbox / f"{number}{point}.txt"
                yield Mail(number, file.read_text(encoding="utf-8", errors="surrogateescape"))


def _reserve(mailbox: Path) -> int:
    number = max(_numbers(mailbox), default=0) + 1
    while True:
        with contextlib.suppress(FileExistsError):  # another process posts at the same moment
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            os.close(os.open(mailbox / f"{number}.{TOOL}.json", flags, 0o600))
            return number
        number += 1


def _numbers(mailbox: Path) -> list[int]:
    names = (file.name.partition(".")[0] for file in mailbox.glob(f"*.{TOOL}.json"))
    return sorted(int(name) for name in names if name.isdecimal())


def _line(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


_SCRIPT = f"""\
# Prints the oldest letter in the folder $1 that nobody has taken yet; $2 is "tool" or "turn".
PATH="$PATH:/usr/bin:/bin"
[ -t 0 ] || cat >/dev/null 2>&1
n=1
while [ -e "$1/$n.{TOOL}.json" ]; do
    if [ -e "$1/$n.txt" ] && mv "$1/$n.txt" "$1/$n.$2.txt" 2>/dev/null; then
        cat "$1/$n.${{3:-$2}}.json" 2>/dev/null
        break
    fi
    n=$((n + 1))
done
exit 0
"""
