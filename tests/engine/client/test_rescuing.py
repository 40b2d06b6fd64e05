"""What is kept of sessions is found, shown and restored, with its record and without."""

import os
from pathlib import Path

import pytest

from abreast import api
from abreast.api import rescuing
from abreast.errors import NotFoundError, StateError
from abreast.model.moves import Say, Shell, Write
from abreast.model.rescue import KeptKind
from tests.support.stage import Stage, scripted, task, writes


def test_what_a_cleaned_session_held_comes_back(shared_stage: Stage, tmp_path: Path) -> None:
    commits = Shell("git commit -qam one && echo two > new.txt && git commit -qam two")
    run = shared_stage.run(
        task("red", writes("red.txt"), verify="false"),
        task("made", scripted(Write("new.txt", "one\n"), Shell("git add -A"), commits, Say("ok"))),
        task("dump", scripted(Shell("head -c 60000000 /dev/zero > dump.bin"), Say("ok"))),
        task("idle", scripted(Say("nothing"))),
    )
    api.clean([run.id], remove=True, force=True, places=shared_stage.places)
    places, repo = shared_stage.places, shared_stage.repo.path
    found = rescuing.kept_works(run.id, repo=tmp_path, places=places)
    assert found.notes == ()
    assert [one.at for one in found.works] == sorted((w.at for w in found.works), reverse=True)
    kinds = {(one.session.partition("/")[2], one.kind) for one in found.works}
    assert kinds >= {
        ("red", KeptKind.WORKTREE),
        ("made", KeptKind.COMMITS),
        ("dump", KeptKind.FILES),
    }
    assert "idle" not in {task for task, _ in kinds}  # it has changed nothing
    red = f"{run.id}/red"
    page = rescuing.kept_page(red, places=places)
    assert [(one.path, one.added, one.deleted) for one in page.files] == [("red.txt", 1, 0)]
    assert page.work.state == "failed"
    made = rescuing.kept_page(f"{run.id[:4]}/made@commits", places=places)
    assert {"one", "two"} <= {state.subject for state in made.states}

    before = shared_stage.repo.git("status", "--porcelain", "--branch")
    done = rescuing.restore_kept(red, places=places)
    assert done.branch == f"rescued/{red}"
    assert shared_stage.repo.git("show", f"{done.branch}:red.txt") == "new"
    assert rescuing.restore_kept(red, places=places) == done  # as often as wanted
    there = rescuing.restore_kept(red, folder=tmp_path / "there", places=places)
    assert there.folder is not None
    assert (there.folder / "red.txt").read_text() == "new\n"
    assert not (there.folder / ".git").exists()
    assert shared_stage.repo.git("status", "--porcelain", "--branch") == before
    big = rescuing.restore_kept(f"{run.id}/dump@files", folder=tmp_path / "big", places=places)
    assert big.folder is not None
    assert (big.folder / "dump.bin").stat().st_size == 60_000_000
    assert repo.is_dir()


def test_nothing_that_is_there_is_replaced(shared_stage: Stage, tmp_path: Path) -> None:
    run = shared_stage.run(task("red", writes("red.txt"), verify="false"))
    api.clean([run.id], remove=True, force=True, places=shared_stage.places)
    red, places = f"{run.id}/red", shared_stage.places
    shared_stage.repo.git("branch", f"rescued/{red}", "main")
    with pytest.raises(StateError, match="holds something else"):
        rescuing.restore_kept(red, places=places)
    assert rescuing.restore_kept(red, branch="mine", places=places).branch == "mine"
    with pytest.raises(StateError, match="no name for a branch"):
        rescuing.restore_kept(red, branch="-x", places=places)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(StateError, match="is not empty"):
        rescuing.restore_kept(red, folder=tmp_path / "full", places=places)
    assert [one.name for one in (tmp_path / "full").iterdir()] == ["mine.txt"]
    with pytest.raises(NotFoundError, match="nothing is kept of other"):
        rescuing.restore_kept("other", places=places)


def test_work_whose_record_is_gone_is_found_and_comes_back(local_stage: Stage) -> None:
    run = local_stage.run(
        task("red", writes("red.txt"), verify="false"), task("good", writes("a.txt"))
    )
    api.clean([f"{run.id}/red"], remove=True, force=True, places=local_stage.places)
    local_stage.end_worker()
    database = Path(local_stage.places.database.removeprefix("sqlite:///"))
    for file in database.parent.glob(f"{database.name}*"):
        file.unlink()
    found = rescuing.kept_works(repo=local_stage.repo.path, places=local_stage.places).works
    assert {(one.session, one.kind, one.state) for one in found} >= {
        (f"{run.id}/red", KeptKind.WORKTREE, ""),
        (f"{run.id}/good", KeptKind.BRANCH, ""),
    }
    page = rescuing.kept_page(
        f"{run.id}/red", repo=local_stage.repo.path, places=local_stage.places
    )
    assert [one.path for one in page.files] == ["red.txt"]
    done = rescuing.restore_kept(
        f"{run.id}/good@branch",
        branch="again",
        repo=local_stage.repo.path,
        places=local_stage.places,
    )
    assert local_stage.repo.git("show", f"{done.branch}:a.txt") == "new"


def signed(stage: Stage, scratch: Path) -> str:
    """Return a commit on `main` with a signature, which git shows by running gpg."""
    git, who = stage.repo.git, "Ada <ada@example.com> 1700000000 +0000"
    lines = [
        f"tree {git('rev-parse', 'main^{tree}')}",
        f"parent {git('rev-parse', 'main')}",
        f"author {who}",
        f"committer {who}",
        "gpgsig -----BEGIN PGP SIGNATURE-----",
        " ",
        " iQ",
        " -----END PGP SIGNATURE-----",
        "",
        "signed",
    ]
    file = scratch / "commit"
    file.write_text("\n".join(lines) + "\n")
    return git("hash-object", "-t", "commit", "-w", str(file))


def test_refs_that_others_made_run_nothing(shared_stage: Stage, tmp_path: Path) -> None:
    """Names that are not ours are passed over; no hook and no filter of an agent runs."""
    run = shared_stage.run(task("red", writes("red.txt"), verify="false"))
    api.clean([run.id], remove=True, force=True, places=shared_stage.places)
    red, git = f"{run.id}/red", shared_stage.repo.git
    git("update-ref", "refs/abreast/snap/deep/er/name", "main")
    git("update-ref", "refs/abreast/elsewhere/a/b", "main")
    git("update-ref", f"refs/abreast/kept/{run.id}/blob", git("hash-object", "-w", "README.md"))
    git("update-ref", "refs/abreast/kept/other/signed", signed(shared_stage, tmp_path))
    planted = tmp_path / "planted"
    hooks = Path(git("rev-parse", "--path-format=absolute", "--git-common-dir")) / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {planted}\n")
        (hooks / name).chmod(0o700)
    git("config", "filter.evil.smudge", f"touch {planted}; cat")
    git("config", "core.fsmonitor", f"touch {planted}; true")
    (hooks.parent / "info/attributes").write_text("* filter=evil\n")
    names = [one.name for one in rescuing.kept_works(run.id, places=shared_stage.places).works]
    assert names == [f"{red}@worktree"]
    git("config", "log.showSignature", "true")
    git("config", "gpg.program", str(hooks / "post-checkout"))
    page = rescuing.kept_page("other/signed", places=shared_stage.places)
    assert [state.subject for state in page.states] == ["signed"]
    assert rescuing.kept_page(red, places=shared_stage.places).files
    assert not planted.exists()
    rescuing.restore_kept(red, places=shared_stage.places)
    rescuing.restore_kept(red, folder=tmp_path / "there", places=shared_stage.places)
    assert (tmp_path / "there/red.txt").read_text() == "new\n"
    assert not planted.exists()


def test_a_repository_that_is_gone_is_noted(local_stage: Stage, tmp_path: Path) -> None:
    run = local_stage.run(task("red", writes("red.txt"), verify="false"))
    moved = tmp_path / "moved"
    local_stage.end_worker()
    os.rename(local_stage.repo.path, moved)  # noqa: PTH104 (as a user does it)
    try:
        found = rescuing.kept_works(repo=tmp_path, places=local_stage.places)
        assert len(found.notes) == 1
        assert "could not be asked" in found.notes[0]
    finally:
        os.rename(moved, local_stage.repo.path)  # noqa: PTH104
    assert rescuing.kept_works(run.id, repo=tmp_path, places=local_stage.places).works
