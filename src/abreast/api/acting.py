"""What a person can do with a session, and doing it: for faces that offer it by keys or buttons."""

import os

from abreast.agents import agent_named
from abreast.api.answering import answer
from abreast.api.delegations import tell
from abreast.api.running import request_landing, request_undo, resume, retry, stop
from abreast.errors import StateError
from abreast.faces.actions import actions_of
from abreast.model.action import Action, ActionKind
from abreast.model.session import SessionState
from abreast.model.snapshot import Row, Watched
from abreast.places import Places, find_places
from abreast.process.environment import SESSION


def actions(row: Row, watched: Watched) -> tuple[Action, ...]:
    """Return what a person can do with the session of a row as it stands, the likeliest first.

    `watched` is its run in the same snapshot. Nothing is asked of the machine: whether an action
    still fits is looked at when it is done.
    """
    found = agent_named(row.session.agent).capabilities
    return actions_of(
        row,
        watched.run,
        told=found.told,
        resumes=found.resume,
        attaches=found.interactive,
    )


def act(action: Action, words: str = "", *, places: Places | None = None) -> str:
    """Do it, and return in a sentence what has come of it.

    What is begun by it goes on by itself. Raises StateError when the session has moved on so that
    it fits no more, when words are missing, and for what needs a terminal.
    """
    where = places or find_places()
    name = action.session
    if action.needs_words and not words.strip():
        raise StateError(f"{name} gets no words", hint=action.command)
    match action.kind:
        case ActionKind.ANSWER:
            done = answer(name, words, places=where).in_words()
        case ActionKind.REPLY:
            # An agent has a shell, too, and is not its user.
            sender = os.environ.get(SESSION, "")
            done = tell(name, words, sender=sender, patience=0, places=where).in_words()
        case ActionKind.LAND:
            done = f"{name} waits to land on {request_landing(name, places=where).target}"
        case ActionKind.RESUME:
            of = action.command.split()[-1]  # the run, where nobody works on it
            done = f"run {resume(of, places=where).id} goes on"
        case ActionKind.RETRY:
            done = f"run {retry(name, places=where).id} goes on"
        case ActionKind.STOP:
            stopped = any(s.state is SessionState.STOPPED for s in stop(name, places=where))
            done = f"{name} {'is stopped; what it did is kept' if stopped else 'has ended'}"
        case ActionKind.UNDO:
            done = f"run {request_undo(name, places=where).id} takes it back"
        case ActionKind.ATTACH:
            raise StateError(f"{name} needs a terminal of its own", hint=action.command)
    return done
