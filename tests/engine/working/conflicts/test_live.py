"""Conflicts show while sessions are still at work, and go when they are over."""

import json
import subprocess
from pathlib import Path

import pytest

from abreast import api
from abreast.engine.common.worker_process import ensure_worker
from abreast.git.guarded import guard_folder
from abreast.model.conflicts import FileConflict, WorkConflict
from abreast.model.moves import Edit, Say, Shell, Write
from abreast.model.session import Session, SessionState
from tests.cli.test_edge import abreast
from tests.support.deadlines import eventually
from tests.support.stage import Stage, scripted, task, until


def conflicts(session: Session) -> list[str]:
    return [one.other for one in session.conflicts]


def looks(stage: Stage, session: str) -> list[Path]:
    """The folders that hold what was seen of a session's work."""
    return list(guard_folder(Path(stage.session(session).worktree)).glob("live.*"))


def test_a_pair_shows_while_both_work_and_goes_when_one_gives_way(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = shared_stage
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    back, end = tmp_path / "back", tmp_path / "end"
    run = stage.start(
        task(
            "one",
            scripted(
                Edit("README.md", "# demo", "# one\nmore"),
                until(back),
                Edit("README.md", "# one\nmore", "# demo"),
                Write("one.txt", "1\n"),
                until(end),
                Say("done"),
            ),
        ),
        task("two", scripted(Edit("README.md", "# demo", "# two"), until(end), Say("done"))),
        task("apart", scripted(Write("apart.txt", "1\n"), until(end), Say("done"))),
    )
    one, two, apart = (f"{run.id}/{name}" for name in ("one", "two", "apart"))
    found = stage.until(one, lambda session: session.conflicts)
    assert found.conflicts == (
        WorkConflict(two, (FileConflict("README.md", ((1, 2),), ((1, 1),)),)),
    )
    other = stage.until(two, lambda session: session.conflicts)
    assert other.conflicts == (
        WorkConflict(one, (FileConflict("README.md", ((1, 1),), ((1, 2),)),)),
    )
    assert (found.state, other.state) == ("running", "running")
    shown = abreast("status", run.id).stdout
    assert "one conflicts with two: README.md: lines 1-2 against line 1" in shown
    printed = json.loads(abreast("status", run.id, "--json").stdout)["runs"][0]["sessions"]
    assert printed[1]["conflicts"] == [
        {
            "other": one,
            "files": [{"path": "README.md", "one": [[1, 1]], "other": [[1, 2]]}],
            "more": 0,
            "is_target": False,
        }
    ]
    back.touch()
    stage.until(one, lambda session: not session.conflicts)
    stage.until(two, lambda session: not session.conflicts)
    assert stage.session(apart).conflicts == ()
    assert "conflicts" not in abreast("status", run.id).stdout
    for session, against in ((one, two), (two, one)):
        told = stage.events(session, "conflict")
        assert told[0].startswith(f"conflicts with {against}:\nREADME.md: line")
        assert told[1:] == [f"no longer conflicts with {against}"]
    # Somebody else moves the target.
    stage.repo.commit("theirs", {"apart.txt": "theirs\n", "README.md": "# demo\n"})
    stage.until(apart, lambda session: conflicts(session) == ["main"])
    assert stage.session(apart).conflicts == (
        WorkConflict("main", (FileConflict("apart.txt", ((1, 1),), ((1, 1),)),), is_target=True),
    )
    end.touch()
    ended = stage.wait(run.id)
    # It has not landed, and still conflicts.
    assert [conflicts(session) for session in ended.sessions] == [[], [], ["main"]]


def test_the_next_worker_goes_on_with_what_a_killed_one_has_seen(
    local_stage: Stage, tmp_path: Path
) -> None:
    stage, back, end = local_stage, tmp_path / "back", tmp_path / "end"
    there, gone = ("README.md", "# demo", "# one"), ("README.md", "# one", "# demo")
    one = scripted(Edit(*there), until(back), Edit(*gone), Shell("true"), until(end), Say("done"))
    two = scripted(Edit("README.md", "# demo", "# two"), until(end), Say("done"))
    run = stage.start(task("one", one, changes=False), task("two", two))
    first, second = f"{run.id}/one", f"{run.id}/two"
    stage.until(first, lambda session: session.conflicts)
    stage.until(second, lambda session: session.conflicts)
    (before,) = looks(stage, first)
    stage.kill_worker()
    ensure_worker(stage.places)
    eventually(lambda: looks(stage, first) not in ([], [before]), "it is looked at again")
    assert conflicts(stage.session(first)) == [second]
    back.touch()
    stage.until(second, lambda session: not session.conflicts)
    assert len(looks(stage, first)) == 1
    end.touch()
    assert stage.wait(run.id).state == "done"
    for name, other in ((first, second), (second, first)):
        told = [text.partition(":")[0] for text in stage.events(name, "conflict")]
        assert told == [f"conflicts with {other}", f"no longer conflicts with {other}"]


_MARKS = """\
find . -printf '%p %T@ %C@ %i\\n' | sort
ls -l --time-style=full-iso "$(git rev-parse --git-dir)"
cksum < "$(git rev-parse --git-dir)/index"
"""
_PLANT = """\
common=$(git rev-parse --git-common-dir)
git update-index --assume-unchanged README.md
git init -q inner && mkfifo pipe && head -c 2000000 /dev/zero > large
echo '* filter=evil diff=evil merge=evil' > .gitattributes
for hook in post-checkout post-index-change pre-commit reference-transaction; do
    printf '#!/bin/sh\\necho %s >> {ran}\\n' $hook > "$common/hooks/$hook"
    chmod +x "$common/hooks/$hook"
done
for key in filter.evil.clean filter.evil.smudge merge.evil.driver core.fsmonitor; do
    git config "$key" "echo $key >> {ran}; cat"
done
"""


def test_what_an_agent_has_planted_does_not_run_and_it_notices_nothing(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage, end, ran, marks = shared_stage, tmp_path / "end", tmp_path / "ran", tmp_path / "marks"
    script = tmp_path / "marks.sh"
    script.write_text(_MARKS)
    noted = f"rm -f {ran}; sh {script} > {marks}.new; mv {marks}.new {marks}"
    plant = Shell(_PLANT.format(ran=ran) + noted)
    run = stage.start(
        task("bad", scripted(Edit("README.md", "# demo", "# bad"), plant, until(end), Say("done"))),
        task(
            "good",
            scripted(until(marks), Edit("README.md", "# demo", "# good"), until(end), Say("done")),
        ),
        task("talks", scripted(Say("thinking"), Say("done")), changes=False),
    )
    bad, good, talks = (f"{run.id}/{name}" for name in ("bad", "good", "talks"))
    stage.until(good, lambda session: conflicts(session) == [bad])
    (place,) = looks(stage, bad)
    now = subprocess.run(
        ["sh", str(script)],
        cwd=place.parent.with_name(place.parent.name.removesuffix("+git")),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert now == marks.read_text()
    assert not ran.exists(), ran.read_text()
    objects = [file for file in place.rglob("*") if file.is_file()]
    assert max(file.stat().st_size for file in objects) < 100_000
    # Who calls no tool is not looked at.
    stage.until(talks, lambda session: session.state.final)
    assert looks(stage, talks) == []
    end.touch()
    ended = stage.wait(run.id)
    # What is configured is everybody's.
    assert [session.state for session in ended.sessions[:2]] == [SessionState.BLOCKED] * 2
    stage.until(good, lambda session: not session.conflicts)  # what is blocked cannot land


def test_who_has_landed_conflicts_no_more_and_the_other_with_the_target(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    run = stage.run(
        task("one", scripted(Edit("README.md", "# demo", "# one"), Say("done"))),
        task("two", scripted(Edit("README.md", "# demo", "# two"), Say("done"))),
    )
    one, two = f"{run.id}/one", f"{run.id}/two"
    stage.until(one, lambda session: conflicts(session) == [two])
    stage.until(two, lambda session: conflicts(session) == [one])
    api.land(one, places=stage.places)
    stage.until(one, lambda session: not session.conflicts)
    stage.until(two, lambda session: conflicts(session) == ["main"])
