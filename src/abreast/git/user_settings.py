"""What of the user's configuration our own git directories get: what decides about content.

Written once, when a run begins: nobody who works in it can change it afterwards.
"""

import os
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from abreast.git.call import call, split
from abreast.git.repository import Repository

# What of the user's configuration decides about content, names and authors. All else stays outside:
# what redirects, asks for passwords, or runs programs other than filters, merge drivers and gpg.
_SETTINGS = (
    *(
        f"core.{name}"
        for name in (
            "autocrlf",
            "bigfilethreshold",
            "checkroundtripencoding",
            "checkstat",
            "compression",
            "eol",
            "filemode",
            "ignorecase",
            "logallrefupdates",
            "longpaths",
            "loosecompression",
            "precomposeunicode",
            "protecthfs",
            "protectntfs",
            "repositoryformatversion",
            "sharedrepository",
            "sparsecheckout",
            "sparsecheckoutcone",
            "symlinks",
            "trustctime",
        )
    ),
    "extensions.objectformat",
    "extensions.partialclone",
    "extensions.refstorage",
    "author.*",
    "checkout.workers",
    "commit.gpgsign",
    "committer.*",
    "filter.*",
    "gpg.*",
    "i18n.*",
    "lfs.*",
    "merge.*",
    "user.*",
)
_PROMISOR = ("core.sshcommand", "credential.*", "http.*", "remote.*", "url.*")  # to fetch objects
_PATHS = ("core.attributesfile", "core.excludesfile")
_FILTERS = ("clean", "smudge", "process")
_ALWAYS = (
    ("core.splitindex", "false"),
    ("core.fsmonitor", "false"),
    ("core.untrackedcache", "false"),
    ("index.sparse", "false"),
    ("submodule.recurse", "false"),
)

Setting = tuple[str, str | None]


def configuration(repo: Repository) -> bytes:
    """Return a configuration file with the user's settings, for a git directory without a tree."""
    settings = [*_settings(repo), ("core.bare", "true"), *_ALWAYS]
    return os.fsencode(_written(settings))


def _settings(repo: Repository) -> Iterator[Setting]:
    """Yield the user's settings that our git directories are to have, in their order."""
    entries = split(call(repo.where, "config", "--list", "-z").stdout)
    pairs = (entry.partition("\n") for entry in entries)
    found: list[Setting] = [(key, value if line else None) for key, line, value in pairs]
    partial = any(key == "extensions.partialclone" or key.endswith(".promisor") for key, _ in found)
    wanted = (*_SETTINGS, *(_PROMISOR if partial else ()))
    for key, value in found:
        if key in _PATHS and value is not None:
            yield key, str(repo.place / Path(value).expanduser())
        elif any(fnmatchcase(key, pattern) for pattern in wanted):
            program = key.startswith("filter.") and key.rpartition(".")[2] in _FILTERS
            yield key, _anchored(repo, value) if program and value else value


def _anchored(repo: Repository, command: str) -> str:
    """Return a filter's command; one that names a file of the repository runs in your checkout.

    In a worktree the file would be what an agent has made of it.
    """
    top = repo.toplevel
    if top is None:
        return command
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    named = any(_names_file(top, word) for word in words)
    return f"cd {shlex.quote(str(top))} && {command}" if named else command


def _names_file(top: Path, word: str) -> bool:
    if word.startswith(("./", "../")):
        return True
    looks = "/" in word or "." in word
    return looks and not word.startswith(("/", "-", "%")) and (top / word).is_file()


def _written(settings: list[Setting]) -> str:
    """Return a configuration file with these settings."""
    lines = []
    for key, value in settings:
        section, _, rest = key.partition(".")
        middle, dot, name = rest.rpartition(".")
        quoted_middle = middle.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'[{section} "{quoted_middle}"]' if dot else f"[{section}]")
        lines.append(f"\t{name}" if value is None else f'\t{name} = "{_escaped(value)}"')
    return "".join(f"{line}\n" for line in lines)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\b": "\\b"}


def _escaped(value: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in value)
