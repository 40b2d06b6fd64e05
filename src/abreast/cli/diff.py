"""`abreast diff`: what a session changed."""

import click

from abreast.cli import options


@click.command()
@options.session_name
@click.option("--stat", is_flag=True, help="List the files and the size of their changes")
@options.as_json
def diff(*, session: str, stat: bool, json: bool) -> int:
    """Print a session's changes against its base

    Changes that are not committed yet are included.
    """
    from abreast import api
    from abreast.cli import as_json

    text = api.diff(session, stat=stat)
    if json:
        as_json.emit({"session": api.find_session(session).id, "diff": text})
    else:
        click.echo(text, nl=bool(text) and not text.endswith("\n"))
    return 0
