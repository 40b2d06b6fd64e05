"""How the user wants diffs shown, as git would: pager and colours.

The repository's own configuration is left out: agents can write it, and a pager is a program. What
counts is the environment, and the configuration of the user and of the machine.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from abreast.git.call import call, split

_NO_REPOSITORY = Path(os.devnull)  # as git directory
_ASKED = r"^(core\.pager|pager\.diff|color\.(ui|diff|pager)|color\.diff\..*|diff\.color\..*)$"
_TRUE, _FALSE = {"true", "yes", "on", "1", ""}, {"false", "no", "off", "0"}
_COLOURS = {  # git's own, by its name for the part of a diff
    "meta": "\x1b[1m",
    "frag": "\x1b[36m",
    "func": "",
    "old": "\x1b[31m",
    "new": "\x1b[32m",
    "context": "",
}


@dataclass(frozen=True)
class DiffDisplay:
    """A pager as a shell command, "" for none; the escape sequence of each part, none: no colour.

    The parts are git's `meta`, `frag`, `func`, `old`, `new` and `context`.
    """

    pager: str
    colours: Mapping[str, str] = field(default_factory=dict)


def diff_display() -> DiffDisplay:
    """Return how the user wants a diff on this terminal (git-config: core.pager, color.ui)."""
    said = _config("-z", "--get-regexp", _ASKED)
    entries = (entry.partition("\n") for entry in split(said))
    found = {name: value for name, _, value in entries}
    pager = _pager(found)
    plain = _never(found.get("color.diff") or found.get("color.ui", "auto"))
    plain |= bool(pager) and found.get("color.pager", "true").lower() in _FALSE
    plain |= bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") == "dumb"
    return DiffDisplay(pager, {} if plain else _colours(found))


def _config(*words: str) -> str:
    # 1: none of what was asked for is set.
    return call(Path("/"), "config", *words, git_dir=_NO_REPOSITORY, codes=(0, 1)).stdout


def _never(value: str) -> bool:
    return value.lower() in {"never", *_FALSE}


def _pager(found: Mapping[str, str]) -> str:
    """Return the pager in git's order; what is "cat" or empty is none."""
    own = found.get("pager.diff")
    if own is not None and own.lower() in _FALSE:
        return ""
    named = own if own is not None and own.lower() not in _TRUE else found.get("core.pager")
    chosen = (os.environ.get("GIT_PAGER"), named, os.environ.get("PAGER"), "less")
    pager = next(one for one in chosen if one is not None)
    return "" if pager in {"", "cat"} else pager


def _colours(found: Mapping[str, str]) -> dict[str, str]:
    """Return the colour of each part: git reads those that the user has set."""
    colours = dict(_COLOURS)
    for name, value in found.items():
        part = re.sub(r"^(?:color\.diff|diff\.color)\.", "", name).replace("plain", "context")
        if part in colours:
            colours[part] = _config("--get-color", "", value or "normal")
    return colours
