"""What the doctor makes of abreast's own runs: landings, children, worktrees left behind."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from abreast.agents.codex.records import read
from abreast.engine.common.deliverables import save
from abreast.model.economy import Account
from abreast.model.session import (
    LandMode,
    LandState,
    Run,
    RunState,
    Session,
    SessionKind,
    SessionState,
)
from abreast.model.task import Deliverable, DeliveryState
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.rows import SessionUpdate
from abreast.store.writer import Store
from tests.recordings.doctor.record import taken
from tests.support.repos import make_repo

NOW = time.time()


@pytest.fixture
def store(places):
    places.make()
    engine = make_engine(places.database)
    migrate(engine)
    yield Store(engine)
    engine.dispose()


@pytest.fixture
def look(tmp_path, diagnose, store):
    (tmp_path / "empty").mkdir()

    def run(
        *sessions: Session,
        home: Path = tmp_path / "empty",
        repo: Path = tmp_path / "empty",
        days: float = 1,
        cli_sessions: Sequence[str] = (),
    ) -> dict:
        made = Run(
            id="k3v9",
            repo=str(repo),
            base="main",
            base_sha="1" * 40,
            target="main",
            state=RunState.DONE,
            land=LandMode.MERGE,
            created=NOW - days * 86_400,
            sessions=sessions,
        )
        store.add_run(made, "{}")
        for cli_session in cli_sessions:  # of the first session, one attempt after the other
            store.update_session(sessions[0].id, SessionUpdate(cli_session=cli_session))
        since = NOW - 7 * 86_400
        return {one.id: one for one in diagnose(home, since=since).findings}

    return run


def session(task: str, **more) -> Session:
    values = {"agent": "claude", "state": SessionState.DONE, "started": NOW - 90, "ended": NOW}
    return Session(f"k3v9/{task}", "k3v9", task, **(values | more))


def child(task: str, place: Path, net: int, **more) -> Session:
    """A child of abreast's with a deliverable; its start-up is 9,000 tokens."""
    folder = place / task
    folder.mkdir(parents=True)
    account = Account(start_up=9_000, child_total=20_000, kept_out=9_200 + net, summary=200)
    found = Deliverable(f"k3v9/{task}", DeliveryState.OK, "claude", account=account)
    save(folder / "deliverable.json", found)
    kind = SessionKind.CHILD
    return session(task, kind=kind, directory=str(folder), produces=f"Ask {task}", **more)


def test_a_run_that_landed_has_no_finding(look):
    assert look(session("a", landing=LandState.LANDED, files=("a.py",)), session("b")) == {}


def test_a_conflict_and_a_red_merge_are_told_apart(look):
    conflict = "conflicts with main in src/a.py, src/b.py"
    hint = "abreast attach k3v9/a, merge main there, abreast land k3v9"
    red = "on the merge with main, verify failed with exit code 1"
    found = look(
        session("a", landing=LandState.BOUNCED, reason=conflict, hint=hint),
        session("b", landing=LandState.BOUNCED, reason=red, hint="its output: /x"),
    )
    assert list(found) == ["bounced-landing", "merge-conflict"]
    [one] = found["merge-conflict"].evidence
    assert (one.session, one.text, one.at) == ("k3v9/a", conflict, NOW)
    assert found["bounced-landing"].evidence[0].text == red
    assert found["bounced-landing"].evidence[0].command == "abreast attach k3v9/b"


def test_a_bounce_of_long_ago_is_over(look):
    assert look(session("a", landing=LandState.BOUNCED, reason="conflicts with x"), days=8) == {}


def test_sessions_without_transcripts_are_compared_by_what_they_changed(look):
    found = look(
        session("a", files=("src/app.py", "src/a.py"), worktree="/trees/a", agent="scripted"),
        session("b", files=("src/app.py", "src/b.py"), worktree="/trees/b", agent="scripted"),
    )
    [one] = found["same-files"].evidence
    assert "edited 1 file in two worktrees: src/app.py" in one.text


def test_the_same_file_in_two_worktrees_that_landed_is_no_matter(look):
    landed = {"files": ("src/app.py",), "landing": LandState.LANDED, "agent": "scripted"}
    first, second = (session(name, worktree=f"/trees/{name}", **landed) for name in "ab")
    assert look(first, second) == {}


def test_one_after_the_other_may_edit_the_same_file(look):
    first = session("a", files=("app.py",), ended=NOW - 60)
    assert look(first, session("b", files=("app.py",), started=NOW - 50)) == {}


def test_children_that_were_worth_it(look, tmp_path):
    assert look(*(child(f"c{n}", tmp_path, 5_000) for n in range(3))) == {}


def test_children_that_lost(look, tmp_path):
    found = look(*(child(f"c{n}", tmp_path, -4_000) for n in range(3)))
    assert list(found) == ["below-break-even"]
    assert found["below-break-even"].cost_tokens == 12_000


def test_children_belong_to_the_session_that_asked(look, tmp_path, home):
    """A parent with two subagents of its own and eight of abreast's children has ten."""
    place = home("gemini-few-children")
    [file] = place.glob(".gemini/tmp/*/chats/session-*.jsonl")
    parent = file.read_text().split('"sessionId":"')[1].split('"')[0]
    made = [child(f"c{n}", tmp_path, 5_000, parent=f"gemini:{parent}") for n in range(8)]
    found = look(*made, home=place)
    assert list(found) == ["many-children"]
    assert found["many-children"].evidence[0].session == parent
    assert found["many-children"].cost_tokens == 10 * 9_000


def test_a_session_of_abreasts_own_is_called_by_its_name(look, tmp_path, home):
    place = home("gemini-few-children")
    [file] = place.glob(".gemini/tmp/*/chats/session-*.jsonl")
    own = file.read_text().split('"sessionId":"')[1].split('"')[0]
    asked = session("a", agent="gemini")
    made = [child(f"c{n}", tmp_path, 5_000, parent=asked.id) for n in range(8)]
    found = look(asked, *made, home=place, cli_sessions=(own,))
    assert found["many-children"].evidence[0].session == asked.id


def test_a_worktree_that_was_left(look, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    ended = {"ended": NOW - 8 * 86_400, "started": NOW - 9 * 86_400}
    found = look(
        session("old", worktree=str(tree), **ended),
        session("gone", worktree=str(tmp_path / "gone"), **ended),
        session("new", worktree=str(tree)),
        days=9,
    )
    [one] = found["left-worktrees"].evidence
    assert one.command == "abreast clean --remove k3v9/old"
    assert one.numbers == {"days": 8.0}


def test_a_session_that_is_at_work_keeps_its_worktree(look, tmp_path):
    at_work = session("a", worktree=str(tmp_path), state=SessionState.RUNNING, ended=None)
    assert look(replace(at_work, started=NOW - 9 * 86_400), days=9) == {}


@pytest.mark.parametrize("landing", [LandState.NONE, LandState.LANDED])
@pytest.mark.parametrize("retried", [(), ("another",)])
def test_a_worktree_that_is_gone_still_belongs_to_its_repository(
    look, tmp_path, home, landing, retried
):
    repo = make_repo(tmp_path / "empty" / "repo").path
    place = home("codex-past-fill")
    [file] = place.rglob("*.jsonl")
    recorded = read(file)  # it edited a.py, in a folder that is gone
    times = {"started": recorded.begun - 60, "ended": recorded.last + 60}
    first = session("a", agent="codex", worktree=recorded.cwd, landing=landing, **times)
    other = session("b", agent="scripted", worktree="/trees/b", files=("a.py",), **times)
    with taken():  # another process may be recording there
        found = look(
            first,
            replace(other, landing=landing),
            home=place,
            repo=repo,
            cli_sessions=[recorded.session, *retried],
        )
    if landing is LandState.LANDED:  # in whichever attempt it edited the file
        assert "same-files" not in found
        return
    [one] = found["same-files"].evidence
    assert "it and scripted k3v9/b edited 1 file in two worktrees: a.py" in one.text
