"""What nobody can allow an agent: git's own folders, credentials, and abreast's state."""

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path, PurePath

from abreast.model.question import Question, QuestionKind
from abreast.model.text import harmless, shaped

_NAMES = frozenset(
    {
        *(".git", ".gitconfig", ".git-credentials", ".netrc", ".pgpass"),
        *(".ssh", ".gnupg", ".aws", ".kube", ".docker", ".password-store"),
    }
)
_SETTINGS = frozenset({"git", "gh", "glab-cli", "gcloud", "abreast"})  # below .config
_READABLE = 50_000  # characters: nobody reads more than that before they say yes
_IGNORED = re.compile("[\u200c\u200d]")  # by some file systems, in names
_WORDS = re.compile(r"[^\s'\"=:;|&<>()]+")
_PARTS = re.compile(r"[^\s'\"=:;|&<>(){},@`]+")
_GLOB = re.compile(r"[*?\[]")


def is_forbidden(asked: Question, guarded: tuple[str, ...], own: str = "") -> bool:
    """Return whether a permission reaches what nobody can allow.

    A path, also by a link, in a folder `.git` or at one of `guarded` (but in the folder `own`), or
    a usual place of credentials; a folder that has such a thing in it; a command that names one.
    Case does not count. A command may build a path from parts: what keeps an agent from these is
    its CLI, and this keeps people from allowing them. Nor can anybody allow what they cannot read.
    """
    if asked.kind is not QuestionKind.PERMISSION:
        return False
    about = asked.about
    if not _is_seen(about):
        return True  # what a person would see is not what they would allow
    reach = _Reach(guarded, own)
    if about.startswith("/") and (reach.is_at(about) or reach.is_within(about)):
        return True
    return reach.is_named(about) or any(map(reach.is_at, _names(about)))


def _is_seen(about: str) -> bool:
    if shaped(harmless(about)) != about or len(about) > _READABLE:
        return False
    # The end of a line is not shown. Of a command it means nothing; of a path it does.
    return "\n" in about or not about.startswith("/") or about == about.rstrip()


def _names(about: str) -> Iterator[str]:
    """Yield whatever may be the name of a file, as a shell or JSON would read it."""
    read = (about, re.sub(r"['\"\\]", "", about), re.sub(r"\\[nrtbf]", " ", about))
    for text in dict.fromkeys(read):
        yield from _WORDS.findall(text)
        yield from _PARTS.findall(text)


class _Reach:
    def __init__(self, guarded: tuple[str, ...], own: str) -> None:
        self._home = Path.home()
        self._own = own
        self._ours = tuple(dict.fromkeys((own, os.path.realpath(own)))) if own else ()
        both = (way for top in guarded for way in (top, os.path.realpath(top)))
        self._guarded = tuple(PurePath(way) for way in dict.fromkeys(both))

    def is_at(self, name: str) -> bool:
        """Return whether a name leads to or into what is private, from the folder `own`."""
        named = re.sub(r"^(?:~|\$HOME|\$\{HOME\})(?=/|$)", str(self._home), name)
        whole = os.path.normpath(Path(self._own, named))
        ways = {whole, os.path.realpath(whole)}
        return any(_is_private(PurePath(way)) or self._is_below(PurePath(way)) for way in ways)

    def is_within(self, name: str) -> bool:
        """Return whether a folder has in it what is private.

        Folders `.git` are found in it and two levels below.
        """
        folder = Path(os.path.realpath(name))
        if not os.path.isdir(folder):  # noqa: PTH112 (never raises)
            return False
        if any(top.is_relative_to(folder) for top in self._guarded):
            return True
        inside = "" if folder.name == ".config" else ".config/"
        wanted = (*_NAMES, *(f"{inside}{one}" for one in _SETTINGS))
        if any(os.path.lexists(folder / one) for one in wanted):
            return True
        return any(True for depth in ("*", "*/*") for _ in folder.glob(f"{depth}/.git"))

    def is_named(self, about: str) -> bool:
        """Return whether a guarded path stands in a text, also behind other characters."""
        rest = about
        for own in self._ours:
            rest = re.sub(rf"{re.escape(own)}(?![\w.-])", "", rest)
        text = _folded(rest)
        tops = (re.escape(_folded(str(top))) for top in self._guarded)
        return any(re.search(rf"{top}(?![\w.-])", text) for top in tops)

    def _is_below(self, path: PurePath) -> bool:
        if any(path.is_relative_to(own) for own in self._ours):
            return False
        folded = PurePath(_folded(str(path)))
        return any(folded.is_relative_to(_folded(str(top))) for top in self._guarded)


def _is_private(path: PurePath) -> bool:
    parts = [_folded(part) for part in path.parts]
    if any(map(_is_secret, parts)):
        return True
    return any(one == ".config" and below in _SETTINGS for one, below in pairwise(parts))


def _is_secret(part: str) -> bool:
    if part in _NAMES:
        return True
    # A shell's pattern matches a dot at the beginning by a dot alone.
    return (
        part.startswith(".")
        and bool(_GLOB.search(part))
        and any(fnmatchcase(name, part) for name in _NAMES)
    )


def _folded(text: str) -> str:
    return _IGNORED.sub("", text).casefold()
