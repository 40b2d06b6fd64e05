"""The keys of the board: one table, of which its bindings, its help and its palette are made."""

from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True)
class Key:
    """Keys for one action. `label` is in the line at the bottom, "" where it is not shown there."""

    keys: str
    action: str
    label: str
    about: str
    named: str = ""  # the keys as people call them, where Textual has other names

    @property
    def word(self) -> str:
        """One word for it: that of the line at the bottom, else of the verb or the page."""
        return self.label or self.action.partition("'")[2].rstrip("')") or self.action

    @property
    def binding(self) -> Binding:
        shown = self.named or None
        return Binding(
            self.keys,
            self.action,
            self.label or self.about,
            show=bool(self.label),
            key_display=shown,
        )


MOVING = (
    ("↓ ↑ j k", "the next or the one before"),
    ("PgDn PgUp", "a page on or back"),
    ("Home End", "the first or the last"),
)

KEYS = (
    Key("space", "reply", "reply", "look at the session, and write to it", "Space"),
    Key(
        "enter", "open_session", "open", "open it in this terminal; of one at work its log", "Enter"
    ),
    Key("l", "act('land')", "land", "land it"),
    Key("d", "page('diff')", "diff", "its changes"),
    Key("o", "page('log')", "log", "its log, live"),
    Key("v", "page('run')", "", "its run: waves and a time line"),
    Key("w", "page('queue')", "", "in which order its run lands, and why"),
    Key("c", "page('costs')", "", "costs: by day, agent and run, and what delegations kept out"),
    Key("r", "act('resume')", "resume", "let it go on; what bounced is run again"),
    Key("R", "act('retry')", "", "run it again, afresh"),
    Key("x", "act('stop')", "stop", "stop it"),
    Key("u", "act('undo')", "", "take back what it has landed"),
    Key("slash", "filter", "filter", "show only some: words, s:failed a:NAME r:shop", "/"),
    Key("n", "next_need", "next", "the next session that needs you"),
    Key("g", "group", "group", "group by state, repository or run"),
    Key("question_mark", "help", "keys", "show the keys", "?"),
    Key("q,ctrl+c", "leave", "quit", "leave the board; everything goes on", "q"),
    Key("escape", "back", "", "back to the list; there, without a filter", "Esc"),
)

BAR = sorted(KEYS, key=lambda key: key.action != "help")
"""The same as the line at the bottom has them: what a narrow terminal cuts off, `?` shows."""

DIGITS = tuple(Key(str(n), f"answer({n})", "", f"answer with choice {n}") for n in range(1, 10))


def listed() -> list[tuple[str, str]]:
    """Return all keys as people call them, and what they do."""
    numbers = ("1-9", "answer its question by a choice's number")
    own = [(key.named or key.keys, key.about) for key in KEYS]
    return [*MOVING, *own, numbers, ("Ctrl+P", "the palette: everything here, by name")]
