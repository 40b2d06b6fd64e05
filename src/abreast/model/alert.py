"""What a person is told who looks at something else: that a session has begun to need them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Alert:
    """One session that has begun to need a person.

    All of it is one line each, without characters that act; `text` is at most 200 characters.
    `command` is what answers it.
    """

    session: str
    repo: str
    agent: str
    kind: str  # of the need
    title: str
    text: str
    command: str


@dataclass(frozen=True)
class NotifySettings:
    """The table `[notify]` of the user's settings.

    `command` is run by a shell for each alert, which it gets as JSON on its standard input.
    """

    command: str = ""
    desktop: bool = True
