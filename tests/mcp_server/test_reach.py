"""Names are the machine's: what one parent may do to the children of another."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp.client.session import ClientSession

from abreast import api
from abreast.model.moves import Say, Shell
from tests.mcp_server.client import call, connected, environ_of, refused
from tests.support.deadlines import eventually
from tests.support.repos import Repo
from tests.support.stage import Stage, scripted


@pytest.fixture
def stage(tmp_path: Path, repo: Repo) -> Iterator[Stage]:
    with Stage.on_sqlite(tmp_path / "state", repo) as built:
        yield built


def begin(stage: Stage, parent: str, repo: Path) -> str:
    """Start a child that is at work until the gate opens."""
    wait = Shell(f"while [ ! -e {stage.places.state / 'gate'} ]; do sleep 0.02; done")
    said = Say(json.dumps({"text": "in src/app.py"}))
    run = api.start_delegation(
        "Where?", agent=scripted(said, wait), parent=parent, repo=repo,
        places=stage.places,
    )  # fmt: skip
    eventually(lambda: stage.session(run.id).state == "running", "it is at work")
    return f"{run.id}/1"


def test_only_the_parent_of_a_child_cancels_it(stage: Stage, tmp_path: Path):
    linked, other = tmp_path / "linked", tmp_path / "other"
    stage.repo.git("worktree", "add", "-q", str(linked))
    stage.repo.git("clone", "-q", str(stage.repo.path), str(other))
    own, foreign = begin(stage, "codex", stage.repo.path), begin(stage, "g:1", stage.repo.path)
    elsewhere, far = begin(stage, "codex", linked), begin(stage, "codex", other)

    async def meddle(session: ClientSession) -> str:
        for name in (foreign, elsewhere, far):
            said = await refused(session, "cancel", id=name)
            assert f"{name} was started by another parent" in said
            assert f"abreast stop {name}" in said
        assert "in another repository" in await refused(session, "tell", id=far, text="Stop.")
        near = await refused(session, "tell", id=elsewhere, text="Stop.")
        assert "cannot receive messages" in near  # as every scripted session
        assert "running" in await call(session, "collect", id=foreign)
        return await call(session, "cancel", id=own)

    async def scene() -> str:
        environ = environ_of(stage.places, ABREAST_MCP_WAIT="0")
        async with connected(stage.repo.path, environ) as session:
            return await meddle(session)

    assert asyncio.run(scene()).startswith("partial: ")
    states = [str(stage.session(name).state) for name in (own, foreign, elsewhere, far)]
    (stage.places.state / "gate").touch()
    assert states == ["stopped", "running", "running", "running"]
