"""The only way to run git: a scrubbed environment, stable output, retries after lost races.

What an agent can write is data here. On its worktree (`Guarded`) git runs with a git directory of
ours and without the variables that open doors; no call enters a submodule, wherever it is made.
"""

import contextlib
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from pathlib import Path

from abreast.errors import GitError
from abreast.git.guarded import Guarded, Where, path_of
from abreast.git.pipes import unblocked
from abreast.process.command import Completed, run
from abreast.process.environment import allow

OLDEST = (2, 38)  # merge-tree --write-tree

# Git exports GIT_DIR, GIT_INDEX_FILE and others to its hooks; a call made below such a hook would
# act on that repository. Only what says who commits, and how to reach things, passes.
_KEPT = (
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_EXEC_PATH",
    "GIT_LFS_",
    "GIT_SSH",
)

_KEPT_GUARDED = ("GIT_AUTHOR_*", "GIT_COMMITTER_*", "GIT_EXEC_PATH", "GIT_LFS_*")

# What git says when it met another git at work on the same repository. It does not wait for locks,
# and a reader that finds a worktree half registered dies of it (seen in 2.39, 2.47 and 2.55).
_RACES = re.compile(
    r"failed to read .*commondir"
    r"|Invalid path '.*/worktrees/"
    r"|\.lock': File exists"
    r"|could not lock config file .*File exists"
    r"|did not send all necessary objects"
    r"|cannot lock ref (?!.*(?:but expected|already exists|cannot create|unable to resolve))"
)
UTF8 = ("i18n.commitEncoding=UTF-8", "i18n.logOutputEncoding=UTF-8")
"""Settings for each call that writes or reads a commit's message: we speak nothing else."""
# A submodule is a repository of its own, which an agent can make and configure: git would run what
# that names. These commands look into submodules unless told otherwise, whatever is configured.
_INTO_SUBMODULES = ("status", "diff", "diff-files", "diff-index")
_STAY_OUTSIDE = "--ignore-submodules=dirty"  # a submodule's HEAD is read as a file

# The configuration of a git directory of ours is all there is, and it has no hooks.
OUR_CONFIGURATION = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
NO_HOOKS = f"core.hooksPath={os.devnull}"

_RETRIES = 4  # the first at once, the others within about half a second

_HINTS = (
    ("not a git repository", "run it inside a git repository, or make one with `git init`"),
    ("dubious ownership", "`git config --global --add safe.directory PATH` if you trust it"),
    (
        ".lock': File exists",
        "another git command is at work there; if none is, delete that lock file",
    ),
    ("No space left on device", "free some space: `abreast clean` removes what has landed"),
    ("gpg failed to sign", "`git config commit.gpgSign` asks for signatures; unlock the key"),
    ("No such file or directory: 'git'", "install git 2.38 or newer"),
)


_STABLE = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def environment() -> dict[str, str]:
    """Return the environment that every git call gets: ours without the variables that steer git.

    Messages are in English, nothing prompts, and reading never takes a lock.
    """
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return env | _STABLE


def guarded_environment() -> dict[str, str]:
    """Return the environment of a call on an agent's worktree: no tokens, keys or ssh agent."""
    return allow(os.environ, *_KEPT_GUARDED) | _STABLE | OUR_CONFIGURATION


def call(
    where: Where,
    *args: str,
    git_dir: Path | None = None,
    config: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    source: Path | None = None,
    sink: Path | None = None,
    codes: Collection[int] = (0,),
    timeout: float | None = None,
    climb: bool = False,
) -> Completed:
    """Run git in the folder `where` and return how it ended.

    Without `git_dir`, `where` must itself be a checkout (or a git directory): a checkout that lost
    its `.git` must not make us act on a repository further up. `climb` lifts that. On a `Guarded`
    one, git sees HEAD and the index as they are there, and all else as ours. `config` are
    `name=value` settings for this call; `source` and `sink` are files in the place of `stdin` and
    the output. What met another git at work is tried again four times, so the command must be safe
    to repeat. Raises `GitError` unless the exit code is in `codes`.
    """
    folder, variables = path_of(where), environment()
    place = [f"--git-dir={git_dir}"] if git_dir else []
    if isinstance(where, Guarded):
        where.copy_state()
        if where.in_tables:
            _copy_tables(where)
        config = (*config, NO_HOOKS)
        place = [f"--git-dir={where.git_dir}", f"--work-tree={folder}"]
        variables = guarded_environment()
    elif not climb:
        variables["GIT_CEILING_DIRECTORIES"] = str(folder.parent)
        if not git_dir and _is_bare(folder):
            place = [f"--git-dir={folder}"]  # `safe.bareRepository=explicit` asks for it
    if args[0] in _INTO_SUBMODULES:
        args = (args[0], _STAY_OUTSIDE, *args[1:])
    # `log.showSignature` runs the configured gpg, and mixes what that says with the answer.
    settings = [
        "-c",
        "gc.auto=0",
        "-c",
        "log.showSignature=false",
        *(word for item in config for word in ("-c", item)),
    ]
    argv = ["git", *settings, *place, *args]
    variables |= env or {}

    def attempt() -> Completed:
        with unblocked(where) if isinstance(where, Guarded) else contextlib.nullcontext():
            return run(
                argv,
                cwd=folder,
                env=variables,
                stdin=stdin,
                source=source,
                sink=sink,
                timeout=timeout,
                check=False,
                error=GitError,
            )

    try:
        done = attempt()
        if _lost_a_race(done):
            done = _try_again(attempt)
    except GitError as error:
        error.hint = _hint(error.stderr)
        raise
    if done.code not in codes:
        raise failure(done, folder)
    return done


def _copy_tables(where: Guarded) -> None:
    """Ask git for HEAD and the refs of a worktree whose repository keeps them in tables.

    Its own folder is the git directory for that: these commands run nothing but hooks, if any.
    """

    def ask(*args: str, codes: Collection[int] = (0,)) -> str:
        asked = call(where.admin, *args, git_dir=where.admin, config=(NO_HOOKS,), codes=codes)
        return asked.stdout

    branch = ask("symbolic-ref", "-q", "HEAD", codes=(0, 1))
    head = f"ref: {branch}" if branch else ask("rev-parse", "--verify", "HEAD")
    where.copy_tables(head, ask("for-each-ref", "--format=%(objectname) %(refname)"))


def git(
    where: Where,
    *args: str,
    git_dir: Path | None = None,
    config: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run git in the folder `where` and return its standard output as it is.

    Raises `GitError` when it exits with anything but 0.
    """
    return call(where, *args, git_dir=git_dir, config=config, env=env, stdin=stdin).stdout


def failure(done: Completed, where: Path, *, hint: str | None = None) -> GitError:
    """Return the error that this end of a git command amounts to, with a hint where we know one."""
    return GitError(
        done.argv,
        done.code,
        done.stdout,
        done.stderr,
        cwd=str(where),
        hint=hint or _hint(done.stderr),
    )


def split(text: str) -> list[str]:
    """Return the fields of `-z` output."""
    return text.split("\0")[:-1] if text.endswith("\0") else [f for f in text.split("\0") if f]


@cache
def require_git() -> tuple[int, ...]:
    """Return git's version as numbers. Raises `GitError` when git is missing or too old."""
    done = call(Path.cwd(), "--version", climb=True)
    found = re.search(r"(?<!\d)(\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    version = tuple(int(part or 0) for part in found.groups()) if found else ()
    if version < OLDEST:
        raise failure(done, Path.cwd(), hint="abreast needs git 2.38 or newer")
    return version


def _is_bare(folder: Path) -> bool:
    if folder.name == ".git" or os.path.lexists(folder / ".git"):
        return False
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _lost_a_race(done: Completed) -> bool:
    return done.code != 0 and _RACES.search(done.stderr) is not None


def _try_again(attempt: Callable[[], Completed]) -> Completed:
    # Imported here because it costs 60 ms and is needed about once in a hundred runs.
    from tenacity import (
        RetryCallState,
        Retrying,
        retry_if_result,
        stop_after_attempt,
        wait_random_exponential,
    )

    def last(state: RetryCallState) -> Completed:
        assert state.outcome is not None  # noqa: S101  it was called at least once
        result: Completed = state.outcome.result()
        return result

    return Retrying(
        stop=stop_after_attempt(_RETRIES),
        wait=wait_random_exponential(multiplier=0.1, max=0.5),
        retry=retry_if_result(_lost_a_race),
        retry_error_callback=last,
    )(attempt)


def _hint(stderr: str) -> str | None:
    return next((hint for words, hint in _HINTS if words in stderr), None)
