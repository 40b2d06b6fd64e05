"""Before a worktree is emptied or removed, what is in it is safe elsewhere."""

from pathlib import Path

import pytest

from abreast import api
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import Session, SessionState
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, writes

BIG = "head -c 60000000 /dev/zero > big.bin"
INNER = "git init -q inner; cd inner; echo i > f; git add f; git -c user.name=A -c user.email=a@b"
LEAVES = scripted(Shell(BIG), Shell(f"{INNER} commit -qm x"), Write("w.txt", "w"), Say("done"))


def aside(stage: Stage, session: Session) -> Path:
    return stage.places.aside / session.run / session.task


@pytest.mark.parametrize("pool", [0, 1])
def test_a_retry_moves_aside_what_no_commit_can_hold(local_stage: Stage, pool: int) -> None:
    stage = local_stage
    if pool:
        stage.run(task("zero", writes("zero.txt")), pool=1)
        places = stage.places.worktrees
        eventually(lambda: list(places.glob("*/.pool/slot-1")), "a warm worktree")
    run = stage.run(task("one", LEAVES), pool=pool)
    [session] = run.sessions
    assert session.state is SessionState.FAILED
    stage.wait(api.retry(session.id, places=stage.places).id)
    folder = aside(stage, session)
    assert (folder / "big.bin").stat().st_size == 60_000_000
    assert (folder / "inner/.git").is_dir()
    assert (folder / "inner/f").read_text() == "i\n"
    [removal] = [r for r in api.clean(places=stage.places) if r.worktree == folder]
    assert removal.kept.startswith("moved aside")
    assert any(str(folder) in text for text in stage.events(session.id, "kept"))


def test_what_was_cleaned_away_by_force_comes_back_whole(local_stage: Stage) -> None:
    stage = local_stage
    agent = scripted(Shell(BIG), Write("w.txt", "w"), Say("done"))
    [session] = stage.run(task("one", agent)).sessions
    assert session.state is SessionState.FAILED
    [kept] = api.clean(places=stage.places, remove=True)
    assert kept.kept.startswith("uncommitted changes")
    gone, moved = api.clean(places=stage.places, remove=True, force=True)
    assert (gone.reason, moved.worktree) == ("forced", aside(stage, session))
    assert not Path(session.worktree).exists()
    assert (aside(stage, session) / "big.bin").exists()
    stage.wait(api.resume(session.run, places=stage.places).id)
    assert (Path(session.worktree) / "big.bin").exists()
    assert (Path(session.worktree) / "w.txt").read_text() == "w"
    assert not aside(stage, session).exists()


def test_clean_names_the_ignored_files_that_go(local_stage: Stage) -> None:
    stage = local_stage
    stage.repo.commit("ignore", {".gitignore": "*.secret\ncache/\n"})
    (Path(stage.repo.path) / ".git/info/exclude").write_text("notes.md\n")
    agent = scripted(
        Write("w.txt", "w"),
        Write("a.secret", "s"),
        Write("notes.md", "n"),
        Write("cache/x/y", "c"),
        Say("done"),
    )
    run = stage.run(task("one", agent))
    api.land(run.id, places=stage.places)
    [removal] = api.clean(places=stage.places)
    assert removal.ignored == ("a.secret", "cache/", "notes.md")


def test_a_worktree_whose_submodule_holds_the_only_copy_stays(
    local_stage: Stage, tmp_path: Path
) -> None:
    stage = local_stage
    stage.repo.git("clone", "-q", ".", str(tmp_path / "upstream"))
    local = ("-c", "protocol.file.allow=always")
    stage.repo.git(*local, "submodule", "--quiet", "add", str(tmp_path / "upstream"), "lib")
    stage.repo.git("commit", "-qm", "with a submodule")
    deed = "git -c protocol.file.allow=always submodule --quiet update --init; echo x > lib/f"
    [session] = stage.run(task("one", scripted(Shell(deed), Say("done")))).sessions
    assert session.state is SessionState.FAILED
    for force in (False, True):
        [removal] = api.clean(places=stage.places, remove=True, force=force)
        assert removal.kept == "submodule lib: it has changes that are not committed in it"
    stage.wait(api.retry(session.id, places=stage.places).id)
    again = stage.session(session.id)
    assert again.state is SessionState.FAILED
    assert again.reason == "lib is a submodule, and it has changes that are not committed in it"
    assert (Path(session.worktree) / "lib/f").read_text() == "x\n"
