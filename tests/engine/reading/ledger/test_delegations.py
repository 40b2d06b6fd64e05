"""What children cost and saved: the CLIs' own subagents, and abreast's delegations."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

import abreast
from abreast.economics.ledger import account, returned_to
from abreast.engine.reading.transcripts import find_transcripts, open_transcript
from abreast.model.economy import Worth
from abreast.model.session import LandMode, Run, RunState, Session, SessionKind, SessionState
from abreast.model.transcript import Spent
from abreast.model.usage import Usage
from abreast.store.engine import make_engine, transaction
from abreast.store.migrations import migrate
from abreast.store.rows import SessionUpdate
from abreast.store.schema import deliverables
from abreast.store.writer import Store
from tests.store.samples import bring
from tests.support.recorded_homes import counts, install, make_places, total, wire


def figures(home, agent, name):
    install(home, agent, name)
    found = abreast.ledger(places=make_places(home), environ={"HOME": str(home)})
    return [
        (one.start_up, one.summary, one.kept_out, one.child_total, one.net, one.worth)
        for one in found.delegations
    ]


@pytest.mark.parametrize(
    ("agent", "name", "expected"),
    [
        # summary: what the parent's next prompt has beyond its last prompt and answer
        ("claude", "subagents", [(3101, 2202 - 2101 - 61, 3202 + 52 - 3101), (4101, 59, 163)]),
        ("gemini", "subagents", [(3101, 2202 - 2101 - 61, 3202 + 52 - 3101), (4101, 59, 163)]),
        ("codex", "subagents", [(2000, 3200 - 3100 - 51, 2100 + 41 - 2000), (2200, 47, 143)]),
        ("codex", "collaboration", [(2000, 49, 141)]),
        ("claude", "nested", [(4121, 30, 163), (3121, 40, 153)]),  # the inner one comes back first
    ],
)
def test_subagents_of_the_vendors(tmp_path, agent, name, expected):
    found = figures(tmp_path, agent, name)
    assert [one[:3] for one in found] == expected
    for start_up, summary, kept_out, _, net, worth in found:
        assert net == kept_out - (start_up + summary) < 0
        assert worth is Worth.LOSS
    children = [one for one in wire(agent, name) if one.get("agent")]
    if children:
        assert sum(one[3] for one in found) == sum(one["input"] + one["output"] for one in children)


def test_a_subagent_of_a_subagent_is_its_child(tmp_path):
    install(tmp_path, "claude", "nested")
    inner, outer = abreast.ledger(
        places=make_places(tmp_path), environ={"HOME": str(tmp_path)}
    ).delegations
    assert inner.parent == outer.child
    assert outer.parent == "7530eea6-ea17-514c-8f59-0dd63d5fcb48"


def test_a_subagent_that_the_cli_runs_for_itself_is_no_delegation(tmp_path):
    """Claude Code compacts in one: its tokens count, but nothing was delegated to it."""
    install(tmp_path, "claude", "subagents")
    (child, *_) = sorted((tmp_path / ".claude").rglob("agent-*.jsonl"))
    name = child.stem.removeprefix("agent-")
    text = child.read_text()
    assert f'"agentId":"{name}"' in text
    child.unlink()
    aside = "acompact-0123456789abcdef"
    child.with_name(f"agent-{aside}.jsonl").write_text(text.replace(name, aside))
    found = abreast.ledger(places=make_places(tmp_path), environ={"HOME": str(tmp_path)})
    assert aside not in [one.child for one in found.delegations]
    assert len(found.delegations) == 1
    assert counts(found.total) == total(wire("claude", "subagents"))


def spent(at, prompt, output):
    return Spent(at, "", "m", prompt, 0, output)


def test_children_that_come_back_at_once_share_the_growth():
    children = [
        account([spent(2 + n, 100, 5), spent(5 + n, 300, 9)], f"c{n}", "p", "x") for n in (0, 1)
    ]
    parent = [spent(20, 1500, 10), spent(1, 1000, 100)]  # in no order
    told = returned_to(children, parent)
    assert [(one.summary, one.shared, one.kept_out, one.net) for one in told] == [
        (200, 2, 209, 209 - 100 - 200)
    ] * 2


@pytest.mark.parametrize(
    "parent",
    [[], [spent(1, 1000, 100)], [spent(20, 1500, 10)], [spent(1, 1000, 100), spent(20, 400, 10)]],
)
def test_a_growth_that_cannot_be_known_is_none(parent):
    """No request before or after it, or the history was cut down meanwhile."""
    [told] = returned_to([account([spent(2, 100, 5)], "c", "p", "x")], parent)
    assert (told.summary, told.net, told.worth) == (None, None, Worth.UNKNOWN)
    assert account([], "c", "p", "x") is None


@pytest.fixture
def played(tmp_path):
    """A run of two sessions side by side, one with a transcript, and one delegation."""
    install(tmp_path, "claude", "plain")
    places = make_places(tmp_path).make()
    environ = {"HOME": str(tmp_path)}
    [path] = [one.path for one in find_transcripts(places, environ)]
    known = open_transcript(path, places, environ)
    engine = make_engine(places.database)
    migrate(engine)
    begun = known.begun
    sessions = (
        Session(
            "r1/a", "r1", "a", "claude", SessionState.DONE, cli_session=known.session,
            started=begun, ended=begun + 100, usage=Usage(1, 1, 1, 0.75, "stream"),
        ),
        Session(
            "r1/b", "r1", "b", "scripted", SessionState.DONE, model="gpt-5.5", turns=3,
            started=begun + 10, ended=begun + 70, usage=Usage(1000, 400, 100, None, "stream"),
        ),
        Session("r1/c", "r1", "c", "scripted", SessionState.SKIPPED),
    )  # fmt: skip
    child = Session(
        "r2/1", "r2", "1", "codex", SessionState.DONE, kind=SessionKind.CHILD, parent="r1/a",
        started=begun + 20, ended=begun + 30,
    )  # fmt: skip
    store = Store(engine)
    store.add_run(_run("r1", begun, sessions), "{}")
    store.add_run(_run("r2", begun + 20, (child,)), "{}")
    row = {
        "session_id": "r2/1", "at": begun + 30, "agent": "codex", "profile": "lean",
        "outcome": "met", "repairs": 0, "bytes": 9, "tokens": 3, "start_up": 2000,
        "child_total": 50_000, "kept_out": 30_000, "summary": 300, "net": 27_700,
        "sha256": "", "path": "",
    }  # fmt: skip
    with transaction(engine) as db:
        db.execute(sa.insert(deliverables), [row])
    engine.dispose()
    return places, environ, begun


def test_the_attempts_of_a_retried_session_are_one_session(tmp_path):
    """Each attempt has a record of its own; what one of them stated is that one's cost."""
    install(tmp_path, "claude", "plain")
    install(tmp_path, "claude", "todos")
    install(tmp_path, "claude", "killed")  # states no cost
    environ, places = {"HOME": str(tmp_path)}, make_places(tmp_path).make()
    alone = {row.name: row for row in look(places, environ, "session").rows}
    engine = make_engine(places.database)
    store = Store(engine)
    began = min(row.begun for row in alone.values())
    session = Session("r1/a", "r1", "a", "claude", SessionState.QUEUED)
    store.add_run(_run("r1", began, (session,)), "{}")
    for name in alone:
        bring(store, "r1/a", SessionState.RUNNING, cli_session=name)
        store.update_session("r1/a", SessionUpdate(state=SessionState.FAILED))
        store.next_attempt("r1/a", fresh=True)
    bring(store, "r1/a", SessionState.RUNNING)
    stated = sum(row.cost.stated or 0.0 for row in alone.values())
    for usd, rest in ((stated / 2, None), (stated + 0.5, 0.5)):
        store.set_usage("r1/a", 1, Usage(1, 1, 1, usd, "stream"))
        [row] = look(places, environ, "session").rows
        assert (row.name, row.sessions, row.agents) == ("r1/a", 1, ("claude",))
        assert counts(row) == tuple(map(sum, zip(*map(counts, alone.values()), strict=True)))
        assert row.cost.stated == pytest.approx(stated + (rest or 0.0))
        assert bool(row.cost.unpriced) is (rest is None)
    [run] = look(places, environ, "run").rows
    assert (run.name, run.sessions) == ("r1", 1)
    engine.dispose()


def test_a_run_counts_as_run_when_all_of_it_is_over(played):
    """A session that waits for its turn has not begun; a night before a retry is not work."""
    places, environ, begun = played
    engine = make_engine(places.database)
    store = Store(engine)
    sessions = tuple(
        Session(f"r3/{n}", "r3", str(n), "scripted", SessionState.DONE, started=a, ended=b)
        for n, (a, b) in enumerate(((begun + 86_400, begun + 86_460), (begun, begun + 60)))
    )
    run = replace(_run("r3", begun, sessions), state=RunState.RUNNING)
    store.add_run(run, "{}")
    assert [one.run for one in look(places, environ).runs] == ["r1"]
    store.set_run_state("r3", RunState.DONE)
    [_, over] = look(places, environ).runs
    assert (over.run, over.wall, over.work, over.gained) == ("r3", 120, 120, 1.0)
    assert [one.run for one in look(places, environ, since=begun + 3600).runs] == []
    engine.dispose()


def look(places, environ, by="day", since=""):
    return abreast.ledger(places=places, environ=environ, by=by, since=since)


def _run(name, created, sessions):
    return Run(
        name, "/r", "main", "1" * 40, "main", RunState.DONE, LandMode.NONE, created,
        sessions=sessions,
    )  # fmt: skip


def test_own_delegations_and_runs(played):
    places, environ, _ = played
    found = abreast.ledger(places=places, environ=environ, by="run")
    [delegation] = found.delegations
    assert (delegation.child, delegation.parent, delegation.net) == ("r2/1", "r1/a", 27_700)
    assert (delegation.worth, delegation.estimated) == (Worth.GAIN, True)
    [run] = found.runs
    prompt, _, _, output = total(wire("claude", "plain"))
    assert (run.run, run.sessions, run.wall, run.work) == ("r1", 2, 100, 160)
    assert run.gained == pytest.approx(1.6)
    assert (run.input_tokens, run.output_tokens) == (prompt + 1000, output + 100)
    [row] = found.rows
    assert (row.name, row.sessions, row.agents) == ("r1", 2, ("claude", "scripted"))
    assert row.cost.stated == pytest.approx(0.75)  # not what Claude Code's own record says
    assert row.cost.estimated == pytest.approx((600 * 5 + 400 * 0.5 + 100 * 30) / 1e6)
    assert row.cost.usd == pytest.approx(row.cost.stated + row.cost.estimated)


def test_sessions_of_runs_have_their_names(played):
    places, environ, begun = played
    rows = abreast.ledger(places=places, environ=environ, by="session").rows
    assert {row.name: counts(row) for row in rows} == {
        "r1/a": total(wire("claude", "plain")),
        "r1/b": (1000, 400, 0, 100),
    }
    later = abreast.ledger(places=places, environ=environ, since=begun + 86_400)
    assert (later.rows, later.delegations, later.runs) == ((), (), ())
    assert later.total.requests == 0
