"""Git's configuration: what our git directories get of the user's, and what of it steers git."""

import hashlib
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from abreast.git.call import call, split
from abreast.git.guarded import known_guard
from abreast.git.reflog import read_file
from abreast.git.repository import Repository
from abreast.process.files import from_home

# What of the user's configuration our own git directories get: what decides about content.
#
# Written once, when a run begins: nobody who works in it can change it afterwards.

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

_Pair = tuple[str, str | None]


def configuration(repo: Repository) -> bytes:
    """Return a configuration file with the user's settings, for a git directory without a tree."""
    settings = [*_own_settings(repo), ("core.bare", "true"), *_ALWAYS]
    return os.fsencode(_written(settings))


def _own_settings(repo: Repository) -> Iterator[_Pair]:
    """Yield the user's settings that our git directories are to have, in their order."""
    entries = split(call(repo.where, "config", "--list", "-z").stdout)
    pairs = (entry.partition("\n") for entry in entries)
    found: list[_Pair] = [(key, value if line else None) for key, line, value in pairs]
    partial = any(key == "extensions.partialclone" or key.endswith(".promisor") for key, _ in found)
    wanted = (*_SETTINGS, *(_PROMISOR if partial else ()))
    for key, value in found:
        if key in _PATHS and value is not None:
            yield key, str(repo.place / from_home(value))
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


def _written(settings: list[_Pair]) -> str:
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


# What steers git in every checkout of a repository: keys and files that execute or redirect.
#
# An agent that is not confined can write them. They are read here as they are, and nothing that
# they name is run. Keys that do neither (`user.name`, `branch.*`) are not looked at.

_KEYS = re.compile(
    r"""
    core\.(hookspath|fsmonitor|sshcommand|worktree|gitproxy|editor|pager|askpass|attributesfile
        |alternaterefscommand)
    | (sequence\.editor|interactive\.difffilter|gc\.recentobjectshook|init\.templatedir)
    | (alias|pager|filter|credential|include|includeif|protocol|extensions|url)\..+
    | diff\.(.+\.)?(command|textconv|external)
    | (merge|trailer|mergetool|difftool|browser|man|guitool)\.(.+\.)?(driver|command|cmd|path)
    | gpg\.(.+\.)?(program|defaultkeycommand)
    | hook\..+ | tar\..+\.command | imap\.tunnel | instaweb\.(httpd|browser|modulepath)
    | lfs\.(.+\.)?(url|pushurl|standalonetransferagent) | lfs\.(customtransfer|extension)\..+
    | remote\.(.+\.(url|pushurl|uploadpack|receivepack|vcs|proxy)|pushdefault)
    | (uploadpack|receive)\..*hook | submodule\..+\.update
    | http\.(.+\.)?(proxy|cookiefile|sslverify|sslcainfo|sslcapath)
    | sendemail\..*(cmd|smtpserver)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_FILES = ("commondir", "info/attributes", "info/grafts", "objects/info/alternates")
_IN_STORE = frozenset({"objects", "refs", "logs", "worktrees", "hooks", "info"})
_DEEPEST = 10  # files that include each other; git itself stops there

Setting = tuple[str, str]
"""The file, and the key in it; "" for the file as a whole."""


def steering(common: Path, admin: Path | None = None) -> dict[Setting, tuple[str, ...]]:
    """Return what executes or redirects in a repository's shared folder `common`: a key's values,
    a file's digest. `admin` is a worktree's own folder, which adds its own configuration, as do the
    user's linked worktrees, but for those of other sessions.

    The shared folders of submodules are looked at in the same way.
    """
    found: dict[Setting, tuple[str, ...]] = {}
    for folder in (common, *_submodules(common / "modules")):
        for name in ("config", "config.worktree"):
            found |= _settings(folder / name)
        for file in (*(folder / name for name in _FILES), *_hooks(folder / "hooks")):
            if content := read_file(file.resolve()):
                found[str(file), ""] = (_digest(content),)
    for folder in {*_of_users(common), *((admin,) if admin is not None else ())}:
        found |= _settings(folder / "config.worktree")
    return found


def _of_users(common: Path) -> Iterator[Path]:
    """Yield git's own folders for the user's linked worktrees that have a configuration."""
    for file in (common / "worktrees").glob("*/config.worktree"):
        named = os.fsdecode(read_file(file.with_name("gitdir"))).removesuffix("\n")
        if known_guard((file.parent / named).parent) is None:  # else it is a session's
            yield file.parent


def _settings(file: Path, depth: int = 0) -> dict[Setting, tuple[str, ...]]:
    content = read_file(file.resolve())
    if not content or depth > _DEEPEST:
        return {}
    keys = _keys(content)
    if keys is None:
        return {(str(file), ""): (_digest(content),)}
    found = {(str(file), key): values for key, values in keys.items() if _KEYS.fullmatch(key)}
    for (_, key), values in list(found.items()):
        if key.startswith(("include.", "includeif.")):
            for value in values:
                found |= _settings(file.parent / from_home(value), depth + 1)
    return found


@lru_cache(maxsize=64)
def _keys(content: bytes) -> Mapping[str, tuple[str, ...]] | None:
    """Return the values of every key; None for what git cannot read. One process for a content."""
    query = ("config", "--no-includes", "--file", "-", "--list", "-z")
    done = call(Path("/"), *query, stdin=os.fsdecode(content), codes=range(256), climb=True)
    if done.code:
        return None
    found: dict[str, list[str]] = {}
    for entry in split(done.stdout):
        key, _, value = entry.partition("\n")
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def _hooks(folder: Path) -> Iterator[Path]:
    """Yield the hooks that git would run, and what lies in folders beside them."""
    for place, _, files in os.walk(folder):
        for name in sorted(files):
            if name.endswith(".sample"):  # as most are
                continue
            file = Path(place, name)
            if os.access(file, os.X_OK) or Path(place) != folder:
                yield file


def _submodules(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _IN_STORE]
        if "HEAD" in files:
            yield Path(place)


def digest_of(file: Path) -> str:
    """Return what tells one content of a file from another."""
    return _digest(read_file(file.resolve()))


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
