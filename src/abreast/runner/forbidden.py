"""What nobody can allow an agent: git's own folders, credentials, and abreast's state."""

import os
import re
from pathlib import Path, PurePath

from abreast.model.question import Question, QuestionKind
from abreast.model.text import harmless

_NAMES = frozenset({".git", ".gitconfig", ".git-credentials", ".netrc", ".pgpass"})
_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".kube", ".docker", ".password-store"})
_SETTINGS = frozenset({"git", "gh", "glab-cli", "gcloud", "abreast"})  # below ~/.config
_WORDS = re.compile(r"[^\s'\"=:;|&<>()]+")


def is_forbidden(asked: Question, guarded: tuple[str, ...], own: str = "") -> bool:
    """Return whether a permission reaches what nobody can allow.

    A path, also by a link, in a folder `.git` or at one of `guarded` (but in the folder `own`), or
    a usual place of credentials; a command that names such a path. A command may build a path from
    parts: what keeps an agent from these is its CLI, and this keeps people from allowing them.
    """
    if asked.kind is not QuestionKind.PERMISSION:
        return False
    if harmless(asked.about) != asked.about:
        return True  # what a person would see is not what they would allow
    if asked.about.startswith("/") and "\n" not in asked.about:
        return _reaches(asked.about, guarded, own)
    return any(_reaches(word, guarded, own) for word in _WORDS.findall(asked.about))


def _reaches(name: str, guarded: tuple[str, ...], own: str) -> bool:
    home = str(Path.home())
    named = re.sub(r"^(?:~|\$HOME|\$\{HOME\})(?=/|$)", home, name)
    whole = os.path.normpath(named)
    ways = {PurePath(whole), PurePath(os.path.realpath(whole))}
    return any(_is_private(way, PurePath(home)) or _is_below(way, guarded, own) for way in ways)


def _is_private(path: PurePath, home: PurePath) -> bool:
    if not (_NAMES | _FOLDERS).isdisjoint(path.parts):
        return True
    settings = home / ".config"
    return path.is_relative_to(settings) and not _SETTINGS.isdisjoint(
        path.relative_to(settings).parts[:1]
    )


def _is_below(path: PurePath, guarded: tuple[str, ...], own: str) -> bool:
    if own and path.is_relative_to(os.path.realpath(own)):
        return False
    return any(path.is_relative_to(top) for top in guarded)
