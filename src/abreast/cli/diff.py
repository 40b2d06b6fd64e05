"""`abreast diff`: what a session changed."""

import os

import click

from abreast.cli import as_json, door, options


@click.command()
@options.session_name
@click.option("--stat", is_flag=True, help="List the files and the size of their changes")
@options.as_json
def diff(*, session: str, stat: bool, json: bool) -> int:
    """Print a session's changes against its base

    Changes that are not committed yet are included. `git apply` takes what a pipe or a file gets,
    also of binary files; what a terminal gets leaves those out, and every escape.
    """
    from abreast.api.comparing import diff as compare
    from abreast.api.looking import find_session

    # On a terminal nobody reads the bytes of a binary file; a pipe may lead to `git apply`.
    text = compare(session, stat=stat, binary=json or not door.on_terminal())
    if json:
        as_json.emit({"session": find_session(session).id, "diff": text})
    else:
        door.send(os.fsencode(text))
    return 0
