"""The program behind the `scripted` agent: plays moves in the worktree and tells what it did.

It is started by the thousand, so it is run as a file, without `site`, and imports next to nothing.
`FILE` holds `{"session", "moves", "progress", "resume"}`; each move that is done adds one byte to
the file named by `progress`, so that a resumed session goes on after the last one.
"""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False  # importing `typing` for it would cost milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DONE = "Done."
_SHOWN = 2000  # characters of a command's output


class DeniedError(Exception):
    """A path leaves the worktree."""


def main(argv: list[str]) -> int:
    """Play the script named by `argv[0]`; with `--terminal`, speak to a person."""
    with open(argv[0], encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs milliseconds
        script = json.load(file)
    terminal = "--terminal" in argv
    if not terminal:
        sys.stdin.buffer.read()  # the prompt; whoever writes it must not meet a closed pipe
    say = _tell if terminal else _print
    with open(script["progress"], "ab" if script["resume"] else "wb") as progress:  # noqa: PTH123
        return _play(script, say, progress)


def _play(script: dict[str, Any], say: Callable[..., None], progress: Any) -> int:
    say(type="started", session=script["session"])
    final, usage = DONE, None
    for move in script["moves"][progress.tell() :]:
        if "say" in move:
            final = move["say"]
            say(type="say", text=final)
        elif "sleep" in move:
            time.sleep(move["sleep"])
        elif "spend" in move:
            usage = _add(usage, move)
        elif "end_turn" in move:
            final = move["end_turn"]
            progress.write(b".")
            break
        elif "fail" in move:
            say(type="result", ok=False, text=move["fail"], usage=usage)
            return 1
        else:
            _use(move, usage, say)
        progress.write(b".")
        progress.flush()
    say(type="result", ok=True, text=final, usage=usage)
    return 0


def _use(move: dict[str, Any], usage: dict[str, int] | None, say: Callable[..., None]) -> None:
    """Do a tool's work. A tool that fails does not end the session, as with any agent."""
    tool = next(iter(move))
    files = [move[tool]] if tool in {"write", "edit"} else []
    say(type="tool", text=f"{tool} {move[tool]}", files=files, usage=usage)
    try:
        failed, text = _TOOLS[tool](move)
    except DeniedError as denied:
        say(type="denied", text=str(denied))
    except (OSError, UnicodeError) as error:
        say(type="tool_done", failed=True, text=str(error))
    else:
        say(type="tool_done", failed=failed, text=text[-_SHOWN:])


def _write(move: dict[str, Any]) -> tuple[bool, str]:
    path = _inside(move["write"])
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    _save(path, move["text"])
    return False, ""


def _edit(move: dict[str, Any]) -> tuple[bool, str]:
    path = _inside(move["edit"])
    text = _load(path)
    if text.count(move["old"]) != 1:
        return True, f"the text to replace occurs {text.count(move['old'])} times"
    _save(path, text.replace(move["old"], move["new"]))
    return False, ""


def _read(move: dict[str, Any]) -> tuple[bool, str]:
    return False, _load(_inside(move["read"]))


def _shell(move: dict[str, Any]) -> tuple[bool, str]:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    if root not in sys.path:
        sys.path.insert(0, root)
    from abreast.process.command import run

    done = run(["/bin/sh", "-c", move["shell"]], check=False)
    return done.code != 0, done.stdout + done.stderr


_TOOLS = {"write": _write, "edit": _edit, "read": _read, "shell": _shell}


def _inside(name: str) -> str:
    worktree = os.path.realpath(".")
    path = os.path.realpath(name)
    if not path.startswith(worktree + os.sep):
        raise DeniedError(f"{name} is outside the worktree")
    return path


def _load(path: str) -> str:
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123
        return file.read()


def _save(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123
        file.write(text)


def _add(usage: dict[str, int] | None, move: dict[str, Any]) -> dict[str, int]:
    """Add a statement of usage to the running total. `spend` holds its input tokens."""
    total = usage or {"input": 0, "cached": 0, "output": 0}
    return {
        "input": total["input"] + move["spend"],
        "cached": total["cached"] + move["cached_tokens"],
        "output": total["output"] + move["output_tokens"],
    }


def _print(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _tell(**fields: Any) -> None:
    repeats = fields["type"] == "result" and fields["ok"]
    if (text := fields.get("text")) and not repeats:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
