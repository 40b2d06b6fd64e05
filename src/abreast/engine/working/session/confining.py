"""The bounds of a session's processes: its agent, and the plan's setup and verify."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import abreast
from abreast.agents import AGENTS
from abreast.agents.base import Launch, StateFiles
from abreast.engine.common.bubblewrap import find_bubblewrap
from abreast.engine.common.sandboxed import load_sandbox, not_confined
from abreast.engine.working.session import boundary_places as known
from abreast.engine.working.session.context import SessionContext
from abreast.errors import GitError, StateError
from abreast.git.apart import INFO, SHARED, apart_admin, apart_folder, rejoin, set_apart
from abreast.git.guard import guard_worktree
from abreast.git.guarded import Guarded, guard_around
from abreast.model.confinement import Confinement
from abreast.model.sandbox import SandboxMode, SandboxSettings
from abreast.places import Places
from abreast.process.environment import BROKER
from abreast.process.files import private_folder

_TMP, _SOCKET = "tmp", "broker"
_SHARED = "shared"  # below the state folder: what confined sessions of one CLI share
_SQLITE = "sqlite:///"


@dataclass(frozen=True)
class ConfinedProcess:
    """What is to be confined: a process that works in `place`, with the variables `environ`.

    `folder` is one of the attempt's own. `launch` is that of a session of the CLI `agent`; both
    are empty for a command of the plan's. Without `writes` it only reads. What `fetches` has a
    network, whatever the plan says: setup gets what agents are to find.
    """

    place: Path
    environ: Mapping[str, str]
    folder: Path
    writes: bool = True
    fetches: bool = False
    agent: str = ""
    launch: Launch | None = None


def confine(context: SessionContext, wanted: ConfinedProcess) -> Confinement:
    """Return the bounds of a process, and prepare what they need: folders, git's own.

    Raises StateError where there is to be a sandbox and none works; so it is without a network,
    which nothing else takes away.
    """
    settings = load_sandbox(context.engine.places, context.run.id)
    network = context.task.network or wanted.fetches
    if settings.mode is SandboxMode.NONE:
        if not network:
            hint = "`abreast settings set sandbox auto`, or leave `network = false` out"
            raise StateError(
                "network = false needs a sandbox, and your settings say none", hint=hint
            )
        return Confinement(unconfined=("your settings say so",))
    found = find_bubblewrap(wanted.environ, settings.program)
    if not found.program:
        if settings.mode is SandboxMode.BWRAP or not network:
            raise StateError(f"there is no sandbox: {found.why}", hint=found.hint)
        return Confinement(unconfined=(not_confined(settings, found),))
    return _bounds(context, wanted, settings, found.program)


def confined_files(
    confinement: Confinement, wanted: ConfinedProcess, places: Places
) -> Mapping[Path, str]:
    """Return the files that a confined CLI needs besides those of its command."""
    return _state(wanted, places).files if confinement.program else {}


def _state(wanted: ConfinedProcess, places: Places) -> StateFiles:
    """Return what a CLI needs of the user's files, once the folder that it shares is there."""
    if wanted.launch is None:
        return StateFiles()
    shared = places.state / _SHARED / wanted.agent / "login"
    if shared.is_symlink():  # a session put it there
        shared.unlink()
    private_folder(shared)
    return AGENTS[wanted.agent].state_files(wanted.launch, shared)


def _bounds(
    context: SessionContext, wanted: ConfinedProcess, settings: SandboxSettings, program: str
) -> Confinement:
    places, environ = context.engine.places, wanted.environ
    state = _state(wanted, places)
    home = Path(environ.get("HOME") or "/")
    tmp = private_folder(wanted.folder / _TMP)
    own = [context.layout.cli_directory] if wanted.launch else []
    caches = list(_made(known.caches(environ)))
    tree = _tree(context, wanted)
    if tree is None:
        git = _Git()
    elif wanted.writes:
        git = _git(tree, rejoins=wanted.place == context.layout.worktree)
    else:
        git = _git_read(tree)
    for folder in (*state.mounted.values(), *state.mounted, *state.writable):
        _make(folder)
    absent = [*_absent(home, places), *_other_agents(home, wanted.agent)]
    readable: list[Path | str] = [
        *state.readable,
        *known.NEEDED,
        *known.beneath(
            [
                *(home, wanted.place, context.repository.common_dir, Path(context.run.repo)),
                *known.programs(environ),
                *_ours(),
                *([wanted.launch.installed.path] if wanted.launch else []),
                Path("/etc/resolv.conf"),
            ],
            (*known.SHARED, *map(str, absent)),
        ),
    ]
    # The private /tmp also under its own path: Codex's sandbox within ours follows mounts back.
    written = [*([wanted.place] if wanted.writes else []), *own, tmp, *caches, *state.writable]
    network = context.task.network or wanted.fetches
    socket = os.path.realpath(wanted.folder / _SOCKET) if wanted.launch else ""
    variables = {BROKER: socket} if socket else {}
    variables |= {"TMPDIR": "/tmp"} if "TMPDIR" in environ else {}  # noqa: S108 - its own
    return Confinement(
        program=program,
        writable=_texts([*written, *git.writable, *map(Path, settings.allow)]),
        readable=_texts(readable),
        absent=_texts([*absent, Path("/run")]),
        sealed=_texts([*state.sealed, *git.sealed]),
        mounted={
            **dict.fromkeys(("/tmp", "/var/tmp"), str(tmp)),  # noqa: S108 - its own
            **{os.path.realpath(path): str(own) for path, own in state.mounted.items()},
            **git.mounted,
        },
        shown=git.shown,
        environment={**variables, **state.environment},
        network=network,
        hosts=() if network or not wanted.agent else AGENTS[wanted.agent].hosts(environ),
        socket=socket,
        unset=tuple(name for name in known.DOORS if not _is_allowed(environ, name, settings)),
    )


def rejoined(context: SessionContext) -> None:
    """Bring what the session has committed within its sandbox into the repository."""
    if context.layout.worktree.exists():
        with contextlib.suppress(GitError):  # it is no worktree any more: whoever needs it says so
            rejoin(context.repository, context.tree)


def drop_tmp(folder: Path) -> None:
    """Remove the private /tmp of what ran with this folder."""
    shutil.rmtree(folder / _TMP, ignore_errors=True)


def _texts(paths: Iterable[Path | str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(os.path.realpath(path) for path in paths))


def _tree(context: SessionContext, wanted: ConfinedProcess) -> Guarded | None:
    """Return the worktree of ours that the process works in, if it is one."""
    if wanted.place == context.layout.worktree:
        return context.tree
    if not wanted.writes:
        return guard_around(wanted.place, context.engine.places.worktrees)
    return guard_worktree(context.repository, wanted.place)


@dataclass(frozen=True)
class _Git:
    """What a worktree needs of git's folders: its own is written, that of the repository read."""

    writable: tuple[Path, ...] = ()
    sealed: tuple[Path, ...] = ()
    mounted: Mapping[str, str] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)


_SEALED = ("commondir", "gitdir", "locked", "config.worktree")


def _git(tree: Guarded, *, rejoins: bool) -> _Git:
    """Set the worktree's commits apart. What its own git folder says of others is sealed."""
    store, admin = os.path.realpath(tree.shared / "objects"), os.path.realpath(tree.admin)
    sealed = (tree.path / ".git", *(tree.admin / name for name in _SEALED))
    if tree.in_tables:  # only git could bring them back
        return _Git(writable=(tree.admin,), sealed=sealed)
    set_apart(tree, rejoins=rejoins)
    own = apart_folder(tree)
    return _Git(
        writable=(tree.admin / "modules",),
        sealed=sealed,
        mounted={store: str(own), admin: str(apart_admin(tree))},
        shown={f"{store}/{SHARED}": store, f"{store}/{INFO}": str(own / INFO)},
    )


def _git_read(tree: Guarded) -> _Git:
    """Show what a session at work there has committed, which is not in the repository yet."""
    store, admin = os.path.realpath(tree.shared / "objects"), os.path.realpath(tree.admin)
    if not apart_admin(tree).is_dir():
        return _Git()
    shown = {store: str(apart_folder(tree)), f"{store}/{SHARED}": store}
    return _Git(shown={**shown, admin: str(apart_admin(tree))})


def _absent(home: Path, places: Places) -> list[Path]:
    found = [*known.secrets(home)]
    found += [Path(name) for name in known.SOCKETS]
    if places.database.startswith(_SQLITE):
        database = places.database.removeprefix(_SQLITE)
        found += [Path(f"{database}{end}") for end in ("", "-wal", "-shm")]
    return [*found, places.state]


def _other_agents(home: Path, agent: str) -> list[Path]:
    others = (one for one in AGENTS.values() if one.name != agent)
    return [home / name for one in others for name in one.secrets]


def _ours() -> list[Path]:
    """Return where the Python is that runs us, and we: for `abreast mcp` and `tell`."""
    package = Path(abreast.__file__).parent
    return [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).parent.parent, package]


def _is_allowed(environ: Mapping[str, str], name: str, settings: SandboxSettings) -> bool:
    """Return whether the user lets sessions reach what a variable names."""
    named = environ.get(name, "")
    return any(allowed in named for allowed in settings.allow)


def _made(folders: Iterable[Path]) -> Iterable[Path]:
    """Yield the folders that are there, or could be made: a tool's first use would make them."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            yield folder


def _make(path: Path) -> None:
    """Make a folder that something is mounted from or on, unless it is a file."""
    with contextlib.suppress(OSError):
        if path.suffix != ".json" and not path.exists():
            path.mkdir(parents=True, mode=0o700)
