"""A change as a diff for a person, in which nothing of theirs can be read that may be a secret."""

import difflib
import re
from collections.abc import Callable

from abreast.engine.client.connect.change import FileRewrite, Side

_HIDDEN = "…"
_JSON = re.compile(
    r'(?P<key>"(?:\\.|[^"\\\n])*"\s*:)'
    r'|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*[\s\S]*?\*/'
    r'|(?P<plain>[{}\[\],:\s]+)|[^{}\[\],:\s"]+|"'
)
_TOML = re.compile(r"^\s*(?:\[\[?[\w-][^=]*\]\s*$|[\]})]+,?\s*$|$)")
_TOML_KEY = re.compile(r"^(\s*[\w.'\"-]+\s*=)\s*[^=\s]")


def diff(change: FileRewrite) -> str:
    """Return the change as a unified diff; values that were not written by us are hidden."""
    hide = _HIDING.get(change.path.suffix, _hide_nothing)
    old, new = _displayed(change, hide)
    lines = difflib.unified_diff(
        old.splitlines(),
        new.splitlines(),
        "/dev/null" if change.old is None else str(change.path),
        "/dev/null" if change.new is None else str(change.path),
        n=1,
        lineterm="",
    )
    return "\n".join(lines) + "\n"


def _displayed(change: FileRewrite, hide: Callable[[str], str]) -> tuple[str, str]:
    """Return both texts: hidden, but for what the edits take out or put in, where that is ours."""
    old, new, at = [], [], 0
    whole = change.old or ""
    for edit in sorted(change.edits):
        same = hide(whole[at : edit.at])
        old += [same, edit.old if change.ours is Side.OLD else hide(edit.old)]
        new += [same, edit.new if change.ours is Side.NEW else hide(edit.new)]
        at = edit.at + len(edit.old)
    rest = hide(whole[at:])
    return "".join([*old, rest]), "".join([*new, rest])


def _hide_json(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found["key"] or found["plain"]:
            return found[0]
        return _HIDDEN + "\n" * found[0].count("\n")

    return _JSON.sub(one, text)


def _hide_toml(text: str) -> str:
    return "".join(_hide_toml_line(line) for line in text.splitlines(keepends=True))


def _hide_toml_line(line: str) -> str:
    end = line[len(line.rstrip("\r\n")) :]
    if _TOML.match(line):
        return line
    key = _TOML_KEY.match(line)
    return f"{key[1]} {_HIDDEN}{end}" if key else f"{_HIDDEN}{end}"


def _hide_nothing(text: str) -> str:
    """Of a skill, every line is ours."""
    return text


_HIDING = {".json": _hide_json, ".toml": _hide_toml}
