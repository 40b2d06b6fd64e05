"""Telling a person who looks elsewhere: the terminal's title, its bell, and a notice of its own."""

import os
from collections.abc import Mapping

from abreast.faces import figures
from abreast.model.alert import Alert
from abreast.model.snapshot import Snapshot

_NINE = ("iTerm.app", "WezTerm", "ghostty", "WarpTerminal")  # values of TERM_PROGRAM
_TEXT = 200  # characters of a notice
KEEP_TITLE, GIVE_TITLE_BACK = "\x1b[22;2t", "\x1b[23;2t"


def title(snapshot: Snapshot) -> str:
    """Return the title of the terminal: `2 need you`, or that nothing does."""
    many = sum(row.need is not None for row in snapshot.rows)
    if not many:
        return "abreast"
    return f"{many} {'needs' if many == 1 else 'need'} you"


def title_sequence(text: str) -> str:
    """Return what sets the terminal's title."""
    return f"\x1b]2;{_plain(text)}\x07"


def notice_sequence(alert: Alert, environ: Mapping[str, str] = os.environ) -> str:
    """Return what makes this terminal show a notice: OSC 9 where it is known, else OSC 777.

    Terminals that know neither show nothing. tmux hands it on where `allow-passthrough` is on.
    """
    head, said = _plain(alert.title), _plain(alert.text)
    nine = environ.get("TERM_PROGRAM") in _NINE or environ.get("LC_TERMINAL") == "iTerm2"
    nine = nine or environ.get("TERM") == "xterm-kitty"
    sequence = f"\x1b]9;{head}: {said}\x07" if nine else f"\x1b]777;notify;{head};{said}\x07"
    if environ.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return sequence


def _plain(text: str) -> str:
    """Return what neither ends the sequence nor is a field of it; foreign text is in there."""
    short = figures.one_line(text)[:_TEXT]
    return "".join(one for one in short if one.isprintable()).replace(";", ",")
