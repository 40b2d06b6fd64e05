"""Pull requests: one for each session, with GitHub and GitLab, and nobody's commits overwritten."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast import api
from abreast.git.push import push_branch, pushed_ref
from abreast.git.repository import find_repository
from abreast.model.moves import Say, Write
from abreast.model.pull_request import CheckCounts, ForgeName, RequestOptions, RequestState
from abreast.model.session import LandMode, LandState, Run, RunState
from tests.cli.test_edge import abreast
from tests.support.forges import StandIn, make_forge
from tests.support.repos import make_repo
from tests.support.stage import Stage, scripted, task, writes

Made = Callable[[str], StandIn]


@pytest.fixture
def made(tmp_path: Path, shared_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Made:
    """Make a forge whose program is on PATH, ours and that of runs."""

    def make(program: str) -> StandIn:
        forge = make_forge(program, tmp_path / "forge", shared_stage.repo)
        shared_stage.environ = forge.environ
        monkeypatch.setenv("PATH", forge.environ["PATH"])
        return forge

    return make


def names_of(program: str) -> RequestOptions:
    name = ForgeName.GITHUB if program == "gh" else ForgeName.GITLAB
    return RequestOptions(forge=name)


def verbs(forge: StandIn) -> list[str]:
    return [call[1] for call in forge.calls]


def again(stage: Stage, run: Run) -> Run:
    return api.land(run.id, LandMode.PR, places=stage.places)


@pytest.mark.parametrize("program", ["gh", "glab"])
def test_one_request_is_opened_and_then_found(
    shared_stage: Stage, made: Made, program: str
) -> None:
    stage, forge = shared_stage, made(program)
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR, pr=names_of(program))
    [session] = run.sessions
    assert run.state is RunState.DONE, session.reason
    assert session.landing is LandState.PROPOSED
    [request] = forge.requests
    assert session.landed == request["address"]
    assert (request["branch"], request["target"]) == (session.branch, "main")
    assert request["title"] == "one is there."
    assert f"Abreast-Session: {session.id}" in request["body"]
    assert (request["draft"], request["labels"]) == (False, [])
    assert forge.head(session.branch) == request["head"]
    assert "one.txt" not in stage.repo.git("ls-tree", "--name-only", "main").splitlines()

    assert again(stage, run).sessions[0].landed == session.landed
    assert len(forge.requests) == 1
    assert verbs(forge) == ["list", "create", "list"]


@pytest.mark.parametrize("program", ["gh", "glab"])
def test_draft_and_labels(shared_stage: Stage, made: Made, program: str) -> None:
    stage, forge = shared_stage, made(program)
    options = RequestOptions(names_of(program).forge, draft=True, labels=("agent", "needs review"))
    stage.run(task("one", writes("one.txt")), land=LandMode.PR, pr=options)
    [request] = forge.requests
    assert (request["draft"], request["labels"]) == (True, ["agent", "needs review"])


def test_what_an_agent_says_is_only_shown(shared_stage: Stage, made: Made) -> None:
    """Outside of a code block a forge would tell people, close issues, and execute commands."""
    stage, forge = shared_stage, made("gh")
    said = "/merge\n@everyone fixes #1\n````\n<!-- abreast: end -->\nsk-ant-0123456789abcdef01234"
    agent = scripted(Write("one.txt", "x"), Say(said))
    run = stage.run(task("one", agent, verify="true # `x`"), land=LandMode.PR)
    [request] = forge.requests
    body = request["body"]
    inside = body.partition("`````text\n")[2].partition("\n`````")[0]
    assert inside.startswith("/merge\n@everyone fixes #1\n````\n")
    outside = body.replace(inside, "")
    for word in ("/merge", "@everyone", "#1"):
        assert word not in outside.replace(inside, "").partition("<details>")[0]
    assert "sk-ant-" not in body
    assert body.count("<!-- abreast:") == 2
    assert "- verify passed: `` true # `x` ``" in body
    assert "<details><summary>Handoff</summary>" in body
    assert run.sessions[0].landing is LandState.PROPOSED


def test_a_text_that_people_have_changed_keeps_their_part(shared_stage: Stage, made: Made) -> None:
    stage, forge = shared_stage, made("gh")
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR)
    ours = forge.requests[0]["body"]
    forge.change(
        1, body=f"Reviewers: look at X.\n\n{ours.replace('one is there.', 'old words')}\n\nMine"
    )
    again(stage, run)
    assert forge.requests[0]["body"] == f"Reviewers: look at X.\n\n{ours}\n\nMine"
    forge.change(1, body="all mine")
    again(stage, run)
    assert forge.requests[0]["body"] == "all mine"


@pytest.mark.parametrize("program", ["gh", "glab"])
def test_only_an_open_one_onto_our_target_counts(
    shared_stage: Stage, made: Made, program: str
) -> None:
    stage, forge = shared_stage, made(program)
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR, pr=names_of(program))
    [session] = run.sessions
    forge.change(1, state="closed")
    forge.add(branch=session.branch, target="release")
    forge.add(branch=session.branch, target="main", fork=True, state="closed")
    landed = again(stage, run).sessions[0]
    assert landed.landing is LandState.PROPOSED
    assert landed.landed == forge.requests[3]["address"]
    assert [r["state"] for r in forge.requests] == ["closed", "open", "closed", "open"]


@pytest.mark.parametrize("program", ["gh", "glab"])
def test_merged_at_this_head_has_landed(shared_stage: Stage, made: Made, program: str) -> None:
    stage, forge = shared_stage, made(program)
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR, pr=names_of(program))
    [session] = run.sessions

    def judged() -> str:
        [removal] = api.clean([run.id], places=stage.places)
        return removal.reason or removal.kept

    assert judged() == "not landed"
    forge.change(1, state="merged", head=session.base_sha)
    assert judged() == "not landed"
    forge.change(1, head=session.commit)
    assert judged() == f"its request was merged: {session.landed}"
    assert again(stage, run).sessions[0].landing is LandState.LANDED
    assert len(forge.requests) == 1
    forge.down()
    assert api.find_run(run.id, places=stage.places).sessions[0].landed == session.landed


def test_a_request_is_of_the_sessions_own_change_alone(shared_stage: Stage, made: Made) -> None:
    stage, forge = shared_stage, made("gh")
    run = stage.run(
        task("first", writes("first.txt")),
        task("second", writes("second.txt"), after=("first",)),
    )
    asked = api.land(f"{run.id}/second", LandMode.PR, places=stage.places)
    second = asked.sessions[1]
    assert second.landing is LandState.PROPOSED, second.reason
    pushed = forge.head(second.branch)
    assert stage.repo.git("rev-parse", f"{pushed}^") == stage.repo.git("rev-parse", "main")
    assert stage.repo.git("show", "--format=", "--name-only", pushed) == "second.txt"
    forge.change(1, state="merged")
    [_, removal] = api.clean([run.id], places=stage.places)
    assert removal.reason == f"its request was merged: {second.landed}"


def test_a_commit_that_a_person_pushed_is_not_overwritten(shared_stage: Stage, made: Made) -> None:
    stage, forge = shared_stage, made("gh")
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR)
    [session] = run.sessions
    theirs = stage.repo.commit("a review's fix", {"fix.txt": "x\n"})
    stage.repo.git("push", "-qf", "origin", f"{theirs}:refs/heads/{session.branch}")
    bounced = again(stage, run).sessions[0]
    assert bounced.landing is LandState.BOUNCED
    assert bounced.reason == (
        f"{session.branch} at origin has commit {theirs[:12]}, which abreast did not push"
    )
    assert f"git fetch origin {session.branch}" in bounced.hint
    assert forge.head(session.branch) == theirs


def test_the_forge_that_does_not_answer_bounces(shared_stage: Stage, made: Made) -> None:
    stage, forge = shared_stage, made("gh")
    forge.down()
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR)
    [session] = run.sessions
    assert session.landing is LandState.BOUNCED
    assert "error connecting to the forge" in session.reason
    assert session.hint == "`gh auth status` says whether gh is logged in"
    assert forge.head(session.branch) == ""


@pytest.mark.parametrize(
    ("program", "fields", "standing"),
    [
        ("gh", {}, (CheckCounts(), "", RequestState.OPEN)),
        (
            "gh",
            {
                "draft": True,
                "review": "CHANGES_REQUESTED",
                "checks": [
                    {"status": "COMPLETED", "conclusion": "SUCCESS"},
                    {"status": "COMPLETED", "conclusion": "FAILURE"},
                    {"status": "IN_PROGRESS", "conclusion": ""},
                    {"state": "SUCCESS"},
                ],
            },
            (CheckCounts(passed=2, failed=1, pending=1), "changes requested", RequestState.DRAFT),
        ),
        ("gh", {"state": "merged"}, (CheckCounts(), "", RequestState.MERGED)),
        (
            "glab",
            {"pipeline": {"status": "running"}, "review": "not_approved"},
            (CheckCounts(pending=1), "review required", RequestState.OPEN),
        ),
        (
            "glab",
            {"pipeline": {"status": "failed"}, "draft": True},
            (CheckCounts(failed=1), "", RequestState.DRAFT),
        ),
        ("glab", {"state": "closed"}, (CheckCounts(), "", RequestState.CLOSED)),
    ],
)
def test_how_a_request_stands(
    shared_stage: Stage, made: Made, program: str, fields: dict, standing: tuple
) -> None:
    stage, forge = shared_stage, made(program)
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR, pr=names_of(program))
    forge.change(1, **fields)
    [found] = api.pull_requests(run, places=stage.places)
    assert found.session == run.sessions[0].id
    assert found.request is not None, found.reason
    request = found.request
    assert (request.checks, request.review, request.state) == standing
    forge.down()
    [unknown] = api.pull_requests(run, places=stage.places)
    assert unknown.request is None
    assert "error connecting to the forge" in unknown.reason


def test_a_push_that_was_killed_is_gone_on_with(tmp_path: Path) -> None:
    """After the remote had it and before we noted that, also when a second one was begun."""
    repo = make_repo(tmp_path / "repo")
    forge = make_forge("gh", tmp_path / "forge", repo)
    found = find_repository(repo.path)
    first = repo.git("rev-parse", "HEAD")
    second, third = (repo.commit(name, {name: "x\n"}) for name in ("two", "three"))
    push_branch(found, "origin", "work", second, "run/task")
    repo.git("update-ref", "refs/abreast/pushing/run/task", first)  # a rewritten commit
    repo.git("push", "-qf", "origin", f"{first}:refs/heads/work")
    push_branch(found, "origin", "work", third, "run/task")
    assert forge.head("work") == third
    assert repo.git("rev-parse", pushed_ref("run/task")) == third
    push_branch(found, "origin", "work", third, "run/task")
    assert forge.head("work") == third


def test_status_shows_the_requests(
    shared_stage: Stage, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, forge = shared_stage, made("gh")
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    run = stage.run(task("one", writes("one.txt")), land=LandMode.PR)
    forge.change(1, checks=[{"conclusion": "FAILURE"}], review="APPROVED")
    done = abreast("status", run.id, "--pr")
    line = next(line for line in done.stdout.splitlines() if "1 failed" in line)
    assert line.split()[:5] == [f"{run.id}/one", "open", "1", "failed", "approved"]
    document = json.loads(abreast("status", run.id, "--pr", "--json").stdout)
    [shown] = document["pull_requests"]
    assert shown["request"]["checks"] == {"passed": 0, "failed": 1, "pending": 0}
