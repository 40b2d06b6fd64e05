"""`abreast ui`: the board in the terminal."""

import sys

import click

from abreast.cli import as_json, options
from abreast.errors import StateError
from abreast.places import find_places


@click.command()
@options.as_json
def ui(*, json: bool) -> int:
    """Open the board: all sessions, and what each needs

    Sessions are in groups, what needs you first; beside them is what the one at the cursor says
    and does. `?` shows the keys, q leaves; nothing stops because of that. The colours are those of
    your terminal. With --json it only prints the keys.
    """
    if json:
        from abreast.board.keys import listed

        as_json.emit({"keys": [{"keys": keys, "does": does} for keys, does in listed()]})
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise StateError(
            "the board needs a terminal, and standard input or output is none",
            hint="without one: abreast status, abreast watch",
        )
    from abreast.board.app import Board

    Board(find_places()).run()
    return 0
