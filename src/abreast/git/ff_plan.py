"""What a fast-forward changes in a checkout, and what of the user's stands in its way.

All that can refuse is asked before a file of the checkout is touched: the new files are written by
git to a scratch work tree, with the filters and the sparse patterns that hold in the checkout, and
the new index is merged from a copy of the user's.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from shlex import quote

from abreast.git.call import call, git, split
from abreast.git.differing import LINK
from abreast.git.ff_journal import Do, Intent, Signature, Step, signature
from abreast.git.status import operation
from abreast.process.tree import MARKER

_NOTHING = "000000"
_SHOWN = 5  # paths named in a reason


class RefusedError(Exception):
    """The checkout cannot be updated; the text says why. `edits`: the user's changes overlap."""

    def __init__(self, words: str, *, edits: bool = False) -> None:
        super().__init__(words)
        self.edits = edits


@dataclass(frozen=True)
class _Entry:
    """A path that differs between the two commits, as `mode id` of each; and the index's."""

    path: str
    old: str
    new: str
    index: str
    hidden: bool  # the index says not to look at the file (assume-unchanged, skip-worktree)

    def is_file(self, side: str) -> bool:
        return not side.startswith((_NOTHING, LINK))


def plan_steps(intent: Intent) -> Intent:
    """Return the intent with its steps, the new files and the new index being in its scratch.

    Raises `RefusedError` with what stands in the way, `GitError`, OSError. Nothing is changed in
    the checkout.
    """
    if (under_way := operation(intent.top)) not in {"", "bisect"}:
        raise RefusedError(f"a {under_way} is in progress there")
    intent.tree.mkdir(parents=True)
    intent.taken(0).parent.mkdir()
    entries = list(_entries(intent))
    _refuse("changes to {} are staged", (e.path for e in entries if e.index not in {e.old, e.new}))
    # What the user has staged exactly as it comes stays as it is, also in the work tree.
    entries = [e for e in entries if e.index != e.new]
    before = {e.path: signature(intent.top / e.path) for e in entries if e.is_file(e.old)}
    _write_files(intent)
    _refuse("local changes to {} would be overwritten", _edited(intent, entries, before))
    steps = tuple(_steps(intent, entries, before))
    return replace(intent, steps=steps)


def _refuse(words: str, paths: Iterator[str]) -> None:
    found = list(paths)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise RefusedError(words.format(", ".join(found[:_SHOWN]) + more), edits=True)


def _entries(intent: Intent) -> Iterator[_Entry]:
    listed = split(git(intent.top, "ls-files", "-z", "-v", "-s"))
    index: dict[str, tuple[str, bool]] = {}
    for line in listed:
        words, _, path = line.partition("\t")
        tag, mode, oid, stage = words.split(" ")
        value = f"{mode} {oid}" if stage == "0" else "not resolved"
        index[path] = (value, tag.islower() or tag == "S")
    options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=none")
    fields = split(git(intent.top, "diff-tree", *options, intent.old, intent.new, "--"))
    for words, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, new_mode, old, new, _ = words.removeprefix(":").split(" ")
        none = f"{_NOTHING} {'0' * len(old)}"
        value, hidden = index.get(path, (none, False))
        yield _Entry(path, f"{old_mode} {old}", f"{new_mode} {new}", value, hidden)


def _write_files(intent: Intent) -> None:
    """Write the files that change to the scratch work tree, and the new index beside it."""
    if not intent.index.exists():
        raise RefusedError("it has no index: create one with `git reset`")
    shutil.copy2(intent.index, intent.new_index)
    place = (f"--git-dir={intent.git_dir}", f"--work-tree={intent.tree}")
    merge = ("read-tree", "-m", "-u", "--no-recurse-submodules", intent.old, intent.new)
    done = call(
        intent.tree,
        *place,
        *merge,
        # A hook on writing an index means the user's index, and that is written later.
        config=(*_QUIET, f"core.hooksPath={os.devnull}"),
        env=_variables(intent) | _filters_at_home(intent),
        codes=range(256),
    )
    if done.code:
        raise RefusedError((done.stderr.strip() or f"git read-tree: {done.code}")[-2000:])
    # Of a file that was changed in the second in which the index was written, and kept its size,
    # git knows by the time stamp of the index that it has to be read. git has looked for such files
    # in the scratch work tree alone.
    was = intent.index.stat()
    os.utime(intent.new_index, ns=(was.st_atime_ns, was.st_mtime_ns))


_QUIET = ("core.fsmonitor=false", "advice.sparseIndexExpanded=false")


def _variables(intent: Intent) -> dict[str, str]:
    return {MARKER: intent.marker, "GIT_INDEX_FILE": str(intent.new_index)}


def _filters_at_home(intent: Intent) -> dict[str, str]:
    """Return variables that let each smudge filter run in the user's checkout, as ever."""
    asked = ("config", "-z", "--get-regexp", r"^filter\..*\.(smudge|clean|process)$")
    found = split(call(intent.top, *asked, codes=(0, 1)).stdout)
    env = {"GIT_CONFIG_COUNT": str(len(found))}
    for number, line in enumerate(found):
        key, _, command = line.partition("\n")
        moved = f"cd {quote(intent.checkout)} && {command}" if command else ""
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": moved}
    return env if found else {}


def _edited(
    intent: Intent, entries: list[_Entry], before: Mapping[str, Signature | None]
) -> Iterator[str]:
    """Yield the files that are not as the index says, whatever bits it has for not looking."""
    scratch = intent.beside("check")
    shutil.copy2(intent.index, scratch)  # with its time stamp, see above
    env = _variables(intent) | {"GIT_INDEX_FILE": str(scratch)}
    hidden = "".join(f"{e.path}\0" for e in entries if e.hidden and before.get(e.path))
    for bit in ("--no-assume-unchanged", "--no-skip-worktree") if hidden else ():
        call(intent.top, "update-index", bit, "-z", "--stdin", stdin=hidden, env=env, config=_QUIET)
    refresh = ("update-index", "-q", "--refresh", "--ignore-submodules")
    call(intent.top, *refresh, env=env, config=_QUIET, codes=(0, 1))
    options = ("--name-only", "-z", "--ignore-submodules=all")
    done = call(intent.top, "diff-files", *options, env=env, config=_QUIET)
    dirty = set(split(done.stdout))
    for entry in entries:
        if entry.path in dirty and entry.path in before:
            gone_anyway = before[entry.path] is None and not entry.is_file(entry.new)
            if not gone_anyway:
                yield entry.path


def _steps(
    intent: Intent, entries: list[_Entry], before: Mapping[str, Signature | None]
) -> Iterator[Step]:
    new = {e.path: signature(intent.tree / e.path) for e in entries if e.is_file(e.new)}
    # Outside of a sparse checkout git writes no file; then none may be there either.
    _refuse(
        "{} is outside of the sparse checkout, and there: `git sparse-checkout reapply`",
        (path for path, was in new.items() if was is None and before.get(path)),
    )
    takes = {path: was for path, was in before.items() if was}
    for path, was in takes.items():
        yield Step(Do.TAKE, path, was)
    puts = {path: was for path, was in new.items() if was}
    modules = [e.path for e in entries if e.new.startswith(LINK)]
    modules = [path for path in modules if (intent.tree / path).is_dir()]
    ways = _Ways(intent.top, puts, modules, takes)
    _refuse("{} is in the way", ways.taken())
    for path in puts:
        here = intent.top / path
        if path not in takes and here.is_dir() and not here.is_symlink():
            yield Step(Do.TAKE, path)
    yield from (Step(Do.MAKE, folder) for folder in ways.missing())
    for path, was in puts.items():
        yield Step(Do.PUT, path, was)
    dropped = (e for e in entries if e.old.startswith(LINK) and e.new.startswith(_NOTHING))
    yield from (Step(Do.DROP, entry.path) for entry in dropped)


@dataclass(frozen=True)
class _Ways:
    """The paths where something new comes: files to put, submodules' folders, files to take."""

    top: Path
    puts: Mapping[str, Signature]
    modules: list[str]
    takes: Mapping[str, Signature]

    def taken(self) -> Iterator[str]:
        """Yield what is there, and is neither git's nor an empty folder."""
        gone = {was[3] for was in self.takes.values()}  # inodes: a file system may ignore case
        for path in (*self.puts, *self.modules):
            for part in _parts(path):
                here = signature(self.top / part)
                if here is None or here[3] in gone:
                    break  # nothing will be below it
                if not stat.S_ISDIR(here[0]):
                    yield part
                    break
            else:
                if path in self.puts:
                    yield from self._inside(path, gone)

    def _inside(self, folder: str, gone: set[int]) -> Iterator[str]:
        for file in (self.top / folder).rglob("*"):
            found = file.lstat()
            if not stat.S_ISDIR(found.st_mode) and found.st_ino not in gone:
                yield str(file.relative_to(self.top))
                return

    def missing(self) -> list[str]:
        """Return the folders to be made, the outer ones first."""
        wanted = {part for path in self.puts for part in _parts(path)[:-1]}
        wanted |= {part for path in self.modules for part in _parts(path)}
        return sorted(path for path in wanted if not self._stays(path))

    def _stays(self, folder: str) -> bool:
        here = self.top / folder
        taken = any(part in self.takes for part in _parts(folder))
        return not taken and here.is_dir() and not here.is_symlink()


def _parts(path: str) -> list[str]:
    """Return the folders that a path lies in, the outermost first, and the path."""
    outer = [str(parent) for parent in reversed(PurePosixPath(path).parents)]
    return [*outer[1:], path]
