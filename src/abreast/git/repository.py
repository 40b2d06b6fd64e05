"""Which repository this is, what its names mean, and its refs, moved by compare-and-swap only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from abreast.errors import NotFoundError, StateError
from abreast.git.call import NO_HOOKS, OUR_CONFIGURATION, call, failure
from abreast.git.guarded import Guarded, Where, guard_around
from abreast.git.status import current_branch, find_commit
from abreast.model.text import unique_name
from abreast.process.command import Completed

_NO_CHECKOUT = "core.fsmonitor=false"  # a program that tells of files, which `diff` would run
FALLBACK_IDENTITY = ("user.name=abreast", "user.email=abreast@localhost")


@dataclass(frozen=True)
class Repository:
    """A repository: what all its checkouts share, and the checkout we came from.

    `toplevel` is None in a bare repository (or inside a `.git` folder). `git_dir` is that
    checkout's own; in a linked worktree it is not `common_dir`. `guard` is a git directory of ours
    on the same objects and refs (`abreast.git.guard`), where somebody else could have changed the
    configuration and the hooks. `tree` is the checkout, where it is one that an agent can write.
    `objects` are variables that name another folder for what is made (`abreast.git.changes`).
    """

    common_dir: Path
    git_dir: Path
    toplevel: Path | None
    guard: Path | None = field(default=None, compare=False)
    tree: Guarded | None = field(default=None, compare=False)
    objects: Mapping[str, str] | None = field(default=None, compare=False)

    @property
    def place(self) -> Path:
        """The folder of this checkout, or of the repository where there is none."""
        return self.toplevel or self.common_dir

    @property
    def where(self) -> Where:
        """Where to run git when the command is about this checkout."""
        return self.tree or self.place

    def call(
        self,
        *args: str,
        config: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        source: Path | None = None,
        codes: Collection[int] = (0,),
        as_user: bool = False,
    ) -> Completed:
        """Run git on what all checkouts share, seeing no checkout (see `abreast.git.call`).

        Through the guard, where there is one: no hook runs. `as_user` goes past it, for what only
        the user's own configuration can do, such as a push.
        """
        guard = None if as_user else self.guard
        env = {**self.objects, **(env or {})} if self.objects else env
        config = (*config, _NO_CHECKOUT)
        return call(
            self.common_dir,
            *args,
            git_dir=guard or self.common_dir,
            config=(*config, NO_HOOKS) if guard else config,
            env={**OUR_CONFIGURATION, **(env or {})} if guard else env,
            stdin=stdin,
            source=source,
            codes=codes,
        )

    def call_inside(
        self,
        *args: str,
        config: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        codes: Collection[int] = (0,),
    ) -> Completed:
        """Run git like `call`, but seeing the checkout: what its attributes say counts."""
        env = {**self.objects, **(env or {})} if self.objects else env
        if self.guard is None or self.tree:
            return call(self.where, *args, config=config, env=env, stdin=stdin, codes=codes)
        seen = {"GIT_WORK_TREE": str(self.toplevel)} if self.toplevel else {}
        return call(
            self.place,
            *args,
            git_dir=self.guard,
            config=(*config, NO_HOOKS),
            env={**OUR_CONFIGURATION, **seen, **(env or {})},
            stdin=stdin,
            codes=codes,
        )

    def lock(self, folder: Path) -> Path:
        """Return the lock file in `folder` that belongs to this repository, whoever asks."""
        return folder / f"{unique_name('git', bytes(self.common_dir))}.lock"


def find_repository(
    path: Path, *, worktrees: Path | None = None, recorded: bool = False
) -> Repository:
    """Return the repository that `path` (a folder) lies in.

    `worktrees` is the folder of those that agents work in: what lies there is looked at through its
    guard, and git does not read the `.git` in it. `recorded`: `path` is the `place` of one that was
    found before. With `safe.bareRepository=explicit` git opens a bare repository where a file
    `.git` names it, and not by itself. Raises `NotFoundError` when there is no
    repository, `GitError` when git refuses to read it.
    """
    if not path.is_dir():
        raise NotFoundError(f"{path} is not a folder", hint="give the folder of a git repository")
    tree = guard_around(path, worktrees) if worktrees else None
    if tree is not None:
        return Repository(tree.admin.parent.parent, tree.admin, tree.path, tree=tree)
    asked = ("--path-format=absolute", "--git-common-dir", "--git-dir", "--show-toplevel")
    done = call(path, "rev-parse", *asked, codes=(0, 128), climb=not recorded)
    if "not a git repository" in done.stderr:
        raise NotFoundError(
            f"{path} is not in a git repository",
            hint="run the command inside one, or create one with `git init`",
        )
    # Without a checkout git answers the first two questions, and then says so and fails.
    bare = "must be run in a work tree" in done.stderr
    lines = done.stdout.splitlines()
    # A path with a line break in it cannot be told apart.
    if (done.code and not bare) or len(lines) != (2 if bare else 3):
        raise failure(done, path)
    top = None if bare else Path(lines[2])
    return Repository(Path(lines[0]), Path(lines[1]), top)


def resolve(repo: Repository, revision: str) -> str:
    """Return the full id of the commit that `revision` names.

    Raises `StateError` when there is no commit at all yet, `NotFoundError` when the name is
    unknown.
    """
    found = find_commit(repo.where, revision)
    if found:
        return found
    if find_commit(repo.where, "HEAD") is None and revision in {
        "HEAD",
        current_branch(repo.where),
    }:
        raise StateError(
            f"{repo.place} has no commit, and sessions start from a commit",
            hint='create one: `git commit --allow-empty -m "start"`',
        )
    raise NotFoundError(
        f"no commit is called {revision!r} in {repo.place}",
        hint="`git branch -a` and `git tag` list the names",
    )


def is_ancestor(repo: Repository, older: str, newer: str) -> bool:
    """Return whether `newer` contains `older`; a commit contains itself."""
    return repo.call("merge-base", "--is-ancestor", older, newer, codes=(0, 1)).code == 0


_FEW = 1000  # commits; what a session is ahead of its target by is a few


def missing_from(repo: Repository, tip: str, *commits: str) -> set[str]:
    """Return which of `commits` (ids) `tip` does not contain; a commit contains itself."""
    listed = ("rev-list", f"--max-count={_FEW}", *commits, f"^{tip}")
    found = repo.call(*listed).stdout.split()
    if len(found) == _FEW:
        return {one for one in commits if not is_ancestor(repo, one, tip)}
    return set(commits).intersection(found)


def look_up(repo: Repository, *names: str) -> tuple[str | None, ...]:
    """Return the full ids of what each name stands for, in one call; None: there is nothing.

    Names are full refs, ids, and these with `^{tree}`.
    """
    asked = "".join(f"{name}\n" for name in names)
    lines = repo.call("cat-file", "--batch-check=%(objectname)", stdin=asked).stdout.splitlines()
    # What is not an id is the name followed by what is wrong with it.
    return tuple(None if " " in line else line for line in lines)


def empty_tree(repo: Repository) -> str:
    """Return the id of the tree without a file, which every repository has."""
    return repo.call("hash-object", "-t", "tree", "--stdin").stdout.strip()


def branch_name_ok(name: str) -> bool:
    """Return whether git accepts `name` as the name of a branch."""
    if not name or name.startswith("-") or name == "HEAD" or "\0" in name:
        return False
    # Any folder will do: this asks about the name alone.
    check = ("check-ref-format", f"refs/heads/{name}")
    return call(Path("/"), *check, codes=(0, 1), climb=True).code == 0


def identity(repo: Repository) -> tuple[str, ...]:
    """Return the settings that a commit needs because the user has no name or no address.

    Empty when git knows the user (from its configuration or the environment).
    """
    known = (
        repo.call("var", f"GIT_{role}_IDENT", config=("user.useConfigOnly=true",), codes=_ANY)
        for role in ("AUTHOR", "COMMITTER")
    )
    return () if all(done.code == 0 for done in known) else FALLBACK_IDENTITY


_ANY = range(256)


def read_ref(repo: Repository, ref: str) -> str | None:
    """Return the commit that the full name `ref` points to, or None when there is no such ref."""
    query = ("rev-parse", "-q", "--verify", "--end-of-options", ref)
    done = repo.call(*query, codes=(0, 1))
    return done.stdout.strip() if done.code == 0 else None


def swap_ref(repo: Repository, ref: str, new: str, old: str | None, *, reason: str) -> bool:
    """Move `ref` from `old` (None: it must not exist) to `new`; False when it was not at `old`.

    A branch gets an entry in its reflog. Raises `GitError` for any other failure.
    """
    log = ["--create-reflog"] if ref.startswith("refs/heads/") else []
    move = ("update-ref", *_itself(ref), *log, "-m", reason, ref, new, old or "")
    done = repo.call(*move, codes=(0, 1, 128))
    if done.code == 0:
        return True
    if read_ref(repo, ref) == old:  # it was not the comparison that failed
        raise failure(done, repo.common_dir, hint=_blocked_name(done.stderr))
    return False


def move_branch(repo: Repository, branch: str, new: str, old: str | None, *, reason: str) -> bool:
    """Move `branch` as `swap_ref` does. No checkout of it may exist, or be brought up to date."""
    return swap_ref(repo, f"refs/heads/{branch}", new, old, reason=reason)


def delete_ref(repo: Repository, ref: str, old: str) -> bool:
    """Delete `ref` if it is at `old`; True when it is gone, False when it is somewhere else."""
    done = repo.call("update-ref", *_itself(ref), "-d", ref, old, codes=(0, 1, 128))
    if done.code == 0:
        return True
    now = read_ref(repo, ref)
    if now == old:
        raise failure(done, repo.common_dir)
    return now is None


def _itself(ref: str) -> tuple[str, ...]:
    """Return the option that keeps git from following a ref of ours to another one.

    An agent can make it a symbolic ref to a branch of the user's, who may have such branches too.
    """
    return ("--no-deref",) if ref.startswith(("refs/abreast/", "refs/heads/abreast/")) else ()


def _blocked_name(stderr: str) -> str | None:
    if "cannot create" not in stderr:
        return None
    return "another branch is called like a folder of this name, or lies in it; rename it"
