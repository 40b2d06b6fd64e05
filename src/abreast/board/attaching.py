"""Giving the terminal to a session's own CLI, and taking it back."""

import asyncio
import sys
from contextlib import suppress

from textual.app import App, SuspendNotSupported

from abreast.api import terminals
from abreast.faces import figures
from abreast.model.session import Session
from abreast.places import Places


async def attach(app: App[None], session: str, places: Places) -> Session:
    """Open a session in its CLI on this terminal; return it once what was done there is recorded.

    The board is gone from the screen meanwhile. Raises AbreastError when it cannot be opened, and
    when its CLI cannot be started.
    """
    terminal = await asyncio.to_thread(terminals.attach, session, places=places)
    try:
        with suppress(SuspendNotSupported), app.suspend():
            if terminal.command.note:
                sys.stdout.write(f"note: {figures.one_line(terminal.command.note)}\n")
                sys.stdout.flush()
            terminals.occupy(terminal)
    finally:
        app.notify(f"{session}: what you did is verified and committed", markup=False)
        closed = await asyncio.to_thread(terminals.close_session, session, places=places)
    return closed
