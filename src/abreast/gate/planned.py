"""A task as the gate looks at it, and the tree that it will work on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from abreast.gate.globs import below, is_glob, literal_folder, matching
from abreast.model.task import Plan, Task

FEW = 3
"""A glob that matches no more files than this is as good as their names."""


@dataclass(frozen=True)
class BaseTree:
    """The files of the base commit, sorted. `submodules` are folders of other repositories."""

    files: tuple[str, ...] = ()
    submodules: frozenset[str] = frozenset()

    @classmethod
    def of(cls, files: Sequence[str], submodules: Sequence[str] = ()) -> "BaseTree":
        return cls(tuple(sorted(files)), frozenset(submodules))

    @cached_property
    def all_files(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def folders(self) -> frozenset[str]:
        """The folders that hold files themselves."""
        return frozenset(name.rpartition("/")[0] for name in self.files)

    @cached_property
    def _names(self) -> Counter[str]:
        return Counter(name.rpartition("/")[2] for name in self.files)

    def named(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return the files that have one of these base names."""
        if not names & self._names.keys():
            return ()
        return tuple(path for path in self.files if path.rpartition("/")[2] in names)

    def names_one_file(self, name: str) -> bool:
        """Return whether a text that says `name`, a path or a base name, can mean one file only."""
        return name in self.all_files or self._names[name] == 1

    def has_folder(self, path: str) -> bool:
        return path in {"", "."} or bool(below(self.files, path))


@dataclass(frozen=True)
class Declared:
    """What a task says that it writes, held against the tree.

    `exact` are files that it names and that exist, `new` files that it names and that do not.
    `globs` are its globs and folders, and `excluded` those of files to leave out. `broad` are the
    globs that match more than a few files, or none yet; those few are in `exact`. `unborn` are
    those that match none. `matched` are all files that exist and that it may write.
    """

    exact: frozenset[str] = frozenset()
    new: frozenset[str] = frozenset()
    globs: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    broad: tuple[str, ...] = ()
    unborn: tuple[str, ...] = ()
    matched: frozenset[str] = frozenset()

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that its broad globs lead into; "" is the whole tree."""
        return tuple(sorted({literal_folder(glob) for glob in self.broad}))

    @property
    def named(self) -> frozenset[str]:
        """The files that it names, whether they exist or not."""
        return self.exact | self.new

    def __bool__(self) -> bool:
        return bool(self.exact or self.new or self.globs)


@dataclass(frozen=True)
class PlannedTask:
    """One task: what its texts say, and what it declares."""

    task: Task
    declared: Declared

    @property
    def id(self) -> str:
        return self.task.id

    @property
    def waits(self) -> tuple[str, ...]:
        """The tasks that must have ended before it starts."""
        return self.task.waits_for


def planned_tasks(plan: Plan, tree: BaseTree) -> tuple[PlannedTask, ...]:
    """Return the tasks of a plan as the gate looks at them."""
    return tuple(PlannedTask(task, declare(task.paths, tree)) for task in plan.tasks)


def declare(paths: Sequence[str], tree: BaseTree) -> Declared:
    """Return what declared `paths` mean on a tree.

    A path without `*`, `?` or `[` is one from the top of the repository: a file, or a folder and
    all below it. A glob is read as in `.gitignore`. What lies in a submodule stands for that.
    """
    exact, new, globs, excluded = set[str](), set[str](), list[str](), list[str]()
    for path in paths:
        plain = _plain(path)
        if not plain:
            continue
        if plain.startswith("!"):
            excluded.append(plain)
        elif within := _submodule(plain, tree):
            exact.add(within)
        elif is_glob(plain):
            globs.append(plain)
        elif plain in tree.all_files:
            exact.add(plain)
        elif plain.endswith("/") or tree.has_folder(plain):
            globs.append(f"{plain.strip('/.')}/**".lstrip("/"))
        else:
            new.add(plain)
    found = {glob: matching(tree.files, [glob, *excluded]) for glob in globs}
    few = {
        glob: names
        for glob, names in found.items()
        if 0 < len(names) <= FEW and is_glob(glob.removesuffix("/**"))
    }
    named = frozenset(exact).union(*few.values())
    return Declared(
        exact=named,
        new=frozenset(new),
        globs=tuple(globs),
        excluded=tuple(excluded),
        broad=tuple(glob for glob in globs if glob not in few),
        unborn=tuple(glob for glob, names in found.items() if not names),
        matched=named.union(*found.values()),
    )


def _plain(path: str) -> str:
    """Return a path without what leads nowhere: `./`, a slash before a name, white space."""
    plain = path.strip()
    while plain.startswith("./"):
        plain = plain[2:]
    return plain if is_glob(plain) else plain.lstrip("/")


def _submodule(path: str, tree: BaseTree) -> str:
    return next((s for s in tree.submodules if path == s or path.startswith(f"{s}/")), "")
