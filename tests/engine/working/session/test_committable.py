"""Done means that nothing of what verify saw is missing from the commit."""

from pathlib import Path

import pytest

from abreast.model.moves import Say, Shell
from abreast.model.session import Session, SessionState
from tests.support.stage import Stage, scripted, task

INNER = (
    "git init -q inner; cd inner; echo x > f; git add f; "
    "git -c user.name=A -c user.email=a@b commit -qm x"
)
LOCAL = "git -c protocol.file.allow=always -c user.name=A -c user.email=a@b"


def ended(stage: Stage, *lines: str, **more: object) -> Session:
    agent = scripted(*(Shell(line) for line in lines), Say("done"))
    return stage.run(task("one", agent, **more)).sessions[0]


def test_a_merge_that_stopped_half_way_is_not_done(shared_stage: Stage) -> None:
    stage = shared_stage
    stage.repo.git("checkout", "-qb", "theirs")
    stage.repo.commit("theirs", {"README.md": "theirs\n"})
    stage.repo.git("checkout", "-q", "main")
    session = ended(
        stage,
        "echo ours > README.md; git -c user.name=A -c user.email=a@b commit -qam ours",
        "git -c user.name=A -c user.email=a@b merge -q theirs || true",
    )
    assert (session.state, session.commit) == (SessionState.FAILED, "")
    assert session.reason == 'a merge stopped half-way, with conflicts in "README.md"'
    assert session.hint == f"settle them: abreast attach {session.id}"


def test_markers_that_the_base_did_not_have_are_not_done(shared_stage: Stage) -> None:
    stage = shared_stage
    old = "<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n"
    stage.repo.commit("documents markers", {"manual.md": old, "title.rst": "Abreast\n=======\n"})
    session = ended(stage, f"printf '{old}more\\n' >> manual.md; printf '<<<<<<< x\\n' > code.py")
    assert session.state is SessionState.FAILED
    assert session.reason == 'conflict markers are left in "manual.md"'
    moved = ended(stage, "echo more >> manual.md; printf 'Heading\\n=======\\n' >> title.rst")
    assert moved.state is SessionState.DONE
    meant = "echo '*.md conflict-marker-size=32' > .gitattributes; "
    stage.repo.commit("meant", {".gitattributes": "*.md conflict-marker-size=32\n"})
    assert ended(stage, f"{meant} printf '{old}' >> manual.md").state is SessionState.DONE


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (f"{INNER}; cd ..; git add inner", "a repository of its own"),
        ("touch '.git '", "a name that git refuses"),
        ("rm README.md; mkfifo README.md", "no regular file"),
    ],
)
def test_what_git_cannot_take_is_not_left_out(shared_stage: Stage, deed: str, reason: str) -> None:
    session = ended(shared_stage, "echo w > work.txt", deed)
    assert (session.state, session.commit) == (SessionState.FAILED, "")
    assert reason in session.reason
    kept = shared_stage.repo.git("show", f"refs/abreast/snap/{session.id}:work.txt")
    assert kept == "w"


def test_what_the_agent_hides_from_git_is_in_the_commit(shared_stage: Stage) -> None:
    session = ended(
        shared_stage,
        "echo needed > README.md; git update-index --skip-worktree README.md; echo n > new.txt",
        verify="grep -q needed README.md",
    )
    assert session.state is SessionState.DONE
    assert shared_stage.repo.git("show", f"{session.commit}:README.md") == "needed"


def test_files_that_differ_as_they_were_checked_out_are_not_the_agents(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    (stage.repo.path / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    stage.repo.commit("with CRLF inside", {})
    stage.repo.commit("and an attribute", {".gitattributes": "dos.txt text eol=lf\n"})
    session = ended(stage, "echo n > new.txt")
    assert (session.state, session.files) == (SessionState.DONE, ("new.txt",))
    changed = stage.repo.git("diff", "--name-only", f"{session.commit}^", session.commit)
    assert changed == "new.txt"


def test_a_replaced_git_file_blocks(shared_stage: Stage) -> None:
    session = ended(shared_stage, "echo w > work.txt; rm .git; git init -q .")
    assert session.state is SessionState.BLOCKED
    assert session.reason == "the .git of its worktree was replaced"
    assert shared_stage.repo.git("show", f"refs/abreast/snap/{session.id}:work.txt") == "w"


def test_a_commit_in_a_submodule_is_kept_or_the_session_is_not_done(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage = shared_stage
    stage.repo.git("clone", "-q", ".", str(tmp_path / "upstream"))
    local = ("-c", "protocol.file.allow=always")
    stage.repo.git(*local, "submodule", "--quiet", "add", str(tmp_path / "upstream"), "lib")
    stage.repo.git("commit", "-qm", "with a submodule")
    init = f"{LOCAL} submodule --quiet update --init; cd lib; echo x > f; git add f"
    session = ended(stage, init)
    assert session.state is SessionState.FAILED
    assert session.reason == "lib is a submodule, and it has changes that are not committed in it"
    session = ended(stage, f"{init}; {LOCAL} commit -qm inside")
    assert (session.state, session.files) == (SessionState.DONE, ("lib",))
    head = stage.repo.git("rev-parse", f"{session.commit}:lib")
    store = stage.repo.path / ".git/modules/lib"
    assert stage.repo.git("--git-dir", str(store), "show", f"{head}:f") == "x"
    refs = stage.repo.git("--git-dir", str(store), "for-each-ref", "--format=%(refname)")
    assert f"refs/abreast/submodule/{session.id}" in refs.split()
