"""`abreast serve`: the page, in a browser on this machine."""

import asyncio
import contextlib
import signal
import sys
import webbrowser

import click

from abreast.cli import as_json, options
from abreast.errors import StateError
from abreast.places import Places, find_places


@click.command()
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65_535),
    help="Where it listens on 127.0.0.1; 0: any that is free. Without it 4717, if that is free",
)
@click.option("--open", "open_", is_flag=True, help="Open it in your browser")
@click.option("--read-only", is_flag=True, help="Show everything, and do nothing")
@options.as_json
def serve(*, port: int | None, open_: bool, read_only: bool, json: bool) -> int:
    """Serve the board and the sessions as a page for your browser

    Prints a link that opens it once, within ten minutes; your browser stays logged in for as long
    as the server runs. Where one runs already, a new link to that is printed. It listens on this
    machine alone. Ctrl-C ends it; runs continue.
    """
    from abreast.page import serving

    places = find_places()
    if found := serving.find_server(places):
        there = f"the page of process {found.process.pid}"
        if read_only and not found.read_only:
            raise StateError(
                f"{there} is there already, and can do more than show",
                hint=f"end it first: Ctrl-C in its terminal, or kill {found.process.pid}",
            )
        words = f"{there} is there already{', read-only' if found.read_only else ''}"
        if port not in (None, 0, found.port):
            words += f"; it stays on port {found.port}"
        link = serving.new_link(found)
        _tell(link, words, json=json)
        if open_:
            _open(places, link)
        return 0
    with serving.server(places, port=port, read_only=read_only) as (server, bound, link):
        _tell(link, "the link opens once; Ctrl-C ends the page, runs continue", json=json)
        if open_:
            _open(places, link)
        # The server itself hears of both, ends its streams, and hands the signal on.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(server.serve([bound]))
    return 0


def _tell(link: str, words: str, *, json: bool) -> None:
    if json:
        as_json.emit({"link": link}, lines=True)  # now: the server goes on
    else:
        click.echo(link)
    click.echo(words, err=True)


def _open(places: Places, link: str) -> None:
    from abreast.page.serving import opening_file

    if not webbrowser.open(opening_file(places, link).as_uri()):
        click.echo("no browser was found: open the link yourself", err=True)
