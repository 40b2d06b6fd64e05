"""Repositories and targets that are not as most are: what lands there, and what is left alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.model.landing import LandOptions
from abreast.model.session import LandState
from tests.engine.working.landing.queue_world import START, Change, QueueWorld
from tests.support.repos import Repo, make_repo

Open = Callable[[Repo], QueueWorld]
LANDED, BOUNCED, READY = LandState.LANDED, LandState.BOUNCED, LandState.READY
PLAIN = (Change(), Change(needs=(0,)), Change(shared="shared-1"))


@pytest.fixture
def origin(tmp_path: Path, opened: Open) -> Repo:
    repo = make_repo(tmp_path / "origin", START)
    repo.commit("second", {"README.md": "# demo\n\nmore\n"})
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return repo


def clone(origin: Repo, *options: str) -> Repo:
    path = origin.path.with_name("clone")
    origin.git("clone", "-q", *options, f"file://{origin.path}", str(path))
    repo = Repo(path)
    for key, value in (("name", "Ada"), ("email", "ada@example.com")):
        repo.git("config", f"user.{key}", value)
    return repo


def lands_all(world: QueueWorld) -> None:
    before = world.files()
    found = world.land(world.add_run(PLAIN, batch=2))
    assert {one.landing for one in found.values()} == {LANDED}, [x.reason for x in found.values()]
    assert set(world.files()) == set(before) | {f"own-r1-t{n}" for n in range(3)}
    passed = {commit for commit, verdict in world.trials() if verdict == "green"}
    assert set(world.tips()) <= passed


@pytest.mark.parametrize(
    "options",
    [
        ("--bare",),
        ("--depth=1",),
        ("--filter=blob:none",),
        ("--filter=tree:0", "--bare"),
        ("--sparse",),
    ],
    ids=["bare", "shallow", "without blobs", "without trees", "sparse"],
)
def test_clones_of_every_kind(origin: Repo, opened: Open, options: tuple[str, ...]) -> None:
    repo = clone(origin, *options)
    lands_all(opened(repo))
    if "--bare" not in options:
        assert repo.git("status", "--porcelain") == ""
    assert repo.git("show", "main:README.md") == "# demo\n\nmore"


def test_a_sparse_checkout_stays_as_sparse_as_it_was(origin: Repo, opened: Open) -> None:
    origin.commit("folders", {"in/a.txt": "a\n", "out/b.txt": "b\n"})
    repo = clone(origin, "--sparse")
    repo.git("sparse-checkout", "set", "in")
    world = opened(repo)
    change = Change(more=(("in/new.txt", "x\n"), ("out/new.txt", "x\n")))
    assert world.land(world.add_run([change]))["t0"].landing is LANDED
    assert (repo.path / "in/new.txt").exists()
    assert not (repo.path / "out").exists()
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("show", "main:out/new.txt") == "x"


def test_a_target_that_has_parted_from_its_upstream(origin: Repo, opened: Open) -> None:
    """The local branch counts: upstream is neither fetched nor asked."""
    repo = clone(origin)
    theirs = origin.commit("theirs", {"theirs.txt": "x\n"})
    repo.git("fetch", "-q")
    repo.commit("ours", {"ours.txt": "x\n"})
    lands_all(opened(repo))
    assert repo.git("rev-parse", "origin/main") == theirs == origin.git("rev-parse", "main")
    assert "theirs.txt" not in repo.git("ls-tree", "--name-only", "main")


def test_a_target_that_goes_while_its_queue_waits(origin: Repo, opened: Open) -> None:
    origin.git("checkout", "-q", "--detach")
    world = opened(origin)
    run = world.add_run([Change()])
    world.ask(run.id, ["r1/t0"], LandOptions())
    origin.git("branch", "-m", "main", "trunk")
    while world.tickets:
        world.step()
    session = world.session("r1/t0")
    assert session.landing is BOUNCED
    assert session.reason.startswith("no commit is called 'refs/heads/main' in ")
    assert world.trials() == []
    assert origin.git("rev-parse", "trunk") == run.base_sha


@pytest.mark.parametrize("checked_out", [True, False])
def test_a_target_that_a_hook_protects_stays_where_it_is(
    origin: Repo, opened: Open, *, checked_out: bool
) -> None:
    if not checked_out:
        origin.git("checkout", "-q", "--detach")
    hook = origin.path / ".git/hooks/reference-transaction"
    hook.write_text(
        '#!/bin/sh\n[ "$1" = prepared ] && grep -q refs/heads/main && '
        "{ echo main is protected >&2; exit 1; }\nexit 0\n"
    )
    hook.chmod(0o755)
    world = opened(origin)
    run = world.add_run([Change()])
    session = world.land(run)["t0"]
    assert session.landing is (READY if checked_out else BOUNCED), session
    assert "main is protected" in session.reason
    assert origin.git("rev-parse", "main") == run.base_sha
    assert origin.git("status", "--porcelain") == ""


def test_what_only_pushes_are_refused_for_does_not_keep_a_landing(
    origin: Repo, opened: Open
) -> None:
    for name in ("denyCurrentBranch", "denyNonFastForwards", "denyDeletes"):
        origin.git("config", f"receive.{name}", "true")
    lands_all(opened(origin))


def test_a_target_in_another_worktree_comes_along_there(origin: Repo, opened: Open) -> None:
    other = origin.path.with_name("other")
    origin.git("checkout", "-q", "-b", "mine")
    origin.git("worktree", "add", "-q", str(other), "main")
    lands_all(opened(origin))
    assert (other / "own-r1-t0").exists()
    assert Repo(other).git("status", "--porcelain") == ""
    assert not (origin.path / "own-r1-t0").exists()


def test_submodules_land_as_the_commits_that_they_are(origin: Repo, opened: Open) -> None:
    lib = make_repo(origin.path.with_name("lib"), {"lib.txt": "1\n"})
    first, second = lib.git("rev-parse", "HEAD"), lib.commit("two", {"lib.txt": "2\n"})
    add = ("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(lib.path), "lib")
    origin.git(*add)
    origin.git("commit", "-qm", "a submodule")
    world = opened(origin)
    run = world.add_run([Change(), Change()])
    for task, commit in zip(("t0", "t1"), (first, "1" * 40), strict=True):
        made = _with_gitlink(origin, f"abreast/r1/{task}", commit)
        world.retake(f"r1/{task}", made)
    found = world.land(run)
    assert found["t0"].landing is LANDED, found["t0"].reason
    assert origin.git("rev-parse", "main:lib") == first
    assert Repo(origin.path / "lib").git("rev-parse", "HEAD") == second  # theirs to update
    assert found["t1"].landing is BOUNCED
    assert found["t1"].reason == "conflicts with main in lib"


def _with_gitlink(repo: Repo, branch: str, commit: str) -> str:
    """Put a submodule's commit on top of a branch, and return the result."""
    git = f"env GIT_INDEX_FILE={repo.path}/.git/scratch-index git"
    put = f"{git} update-index --cacheinfo 160000,{commit},lib"
    script = f"{git} read-tree {branch} && {put} && {git} write-tree"
    tree = repo.git("-c", f"alias.x=!{script}", "x")
    made = repo.git("commit-tree", tree, "-p", f"{branch}~", "-m", "submodule")
    repo.git("update-ref", f"refs/heads/{branch}", made)
    return made
