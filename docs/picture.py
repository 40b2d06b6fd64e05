"""Draw the README's picture, `docs/demo.svg`, from a real run: `python docs/picture.py [AGENT]`."""

import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from abreast import api
from abreast.cli import live, table
from abreast.model.session import Moment, Run, SessionState
from abreast.process import clock

PICTURE = Path(__file__).with_name("demo.svg")
WIDTH = 92


def main() -> None:
    agent = sys.argv[1] if len(sys.argv) > 1 else "scripted"
    seen: list[tuple[Moment, Run]] = []
    run, _ = api.demo(agent, progress=lambda state: seen.append((clock.now(), state)))
    PICTURE.write_text(draw(agent, seen, run), encoding="utf-8")
    print(f"{PICTURE}: run {run.id} is {run.state}")


def draw(agent: str, seen: Sequence[tuple[Moment, Run]], run: Run) -> str:
    """Return the picture: the command, the liveliest moment of the run, and how it ended."""
    console = Console(record=True, width=WIDTH, height=40, force_terminal=True, file=io.StringIO())
    asked = "abreast demo" if agent == "scripted" else f"abreast demo --agent {agent}"
    console.print(Text(f"$ {asked}", "bold"))
    if seen:
        at, moment = max(seen, key=lambda state: (lively(state[1]), state[0].wall))
        console.print(live.live(moment, at, console))
        console.print()
    console.print(table.closing(run, Moment(run.ended or run.created)))
    svg = console.export_svg(title="abreast", theme=MONOKAI, unique_id="abreast")
    # Rich loads a font from another site; the reader's own monospace font will do.
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


def lively(run: Run) -> tuple[int, int]:
    """Return how many sessions are at work, and how much they have said."""
    working = sum(session.state is SessionState.RUNNING for session in run.sessions)
    return working, sum(bool(session.last_action) for session in run.sessions)


if __name__ == "__main__":
    main()
