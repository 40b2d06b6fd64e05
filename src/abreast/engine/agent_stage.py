"""The agent's part of a session: what to launch, and what to write down of how it went."""

import hashlib
import uuid

from abreast.agents import agent_named
from abreast.agents.base import Agent, Launch
from abreast.engine.briefing import read_briefing
from abreast.engine.jobs import Order
from abreast.engine.prompts import compose, resumed
from abreast.engine.scene import Scene
from abreast.errors import AgentError
from abreast.git.status import require_own_git_dir
from abreast.model.usage import Usage
from abreast.process.environment import allow
from abreast.process.files import write_atomic
from abreast.runner.job import Progress, Result
from abreast.store.changes import UNSET, Change


def launch_of(scene: Scene, agent: Agent, *, cli_session: str = "") -> Launch:
    """Return what `agent` needs to know; goes on with `cli_session` when one is given."""
    environ = allow(scene.environment(), *agent.env_patterns, also=scene.plan.pass_env)
    installed = agent.find(environ)
    if installed is None:
        raise AgentError(f"{agent.title} is not installed", hint=agent.install_hint)
    folder = scene.layout.cli_directory
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Launch(
        installed=installed,
        directory=folder,
        worktree=scene.layout.worktree,
        git_dir=require_own_git_dir(scene.layout.worktree),
        common_dir=scene.repository.common_dir,
        environ=environ,
        prompt=resumed(scene.task) if cli_session else compose(scene.task, scene.predecessors()),
        briefing=read_briefing(scene.layout.worktree),
        model=scene.task.model,
        limits=scene.task.limits,
        choice=scene.task.agent,
        cli_session=cli_session or _fresh_id(scene),
        resume=bool(cli_session),
    )


def _fresh_id(scene: Scene) -> str:
    """Return an id for the CLI's session: the same one, when the step is repeated after a crash."""
    name = f"{scene.run.id} {scene.run.created} {scene.task.id} {scene.layout.attempt}"
    return str(uuid.UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def order(scene: Scene) -> Order:
    """Return the agent's job. A session that has a CLI session of an earlier attempt resumes it."""
    agent = agent_named(scene.task.agent.name)
    launch = launch_of(scene, agent, cli_session=scene.session.cli_session)
    scene.layout.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(scene.layout.directory / "prompt.md", launch.prompt)
    return Order(
        command=agent.headless(launch),
        cwd=scene.layout.worktree,
        limits=scene.task.limits,
        stop_file=scene.layout.stop_file,
        agent=agent.name,
    )


def change_of(progress: Progress) -> Change:
    """Return what a running session shows."""
    return Change(
        last_action=progress.last_action,
        turns=progress.turns,
        files=progress.files,
        cli_session=progress.cli_session or UNSET,
    )


def record(scene: Scene, result: Result) -> None:
    """Keep what the agent's end tells: its last message, usage, and the id to go on with."""
    verdict, store = result.verdict, scene.engine.store
    cli_session = verdict.cli_session or result.progress.cli_session
    models = [model for model in verdict.usage_by_model if model]
    store.update_session(
        scene.session.id,
        Change(
            final_message=verdict.final_message,
            turns=verdict.turns or result.progress.turns,
            last_action=result.progress.last_action or UNSET,
            cli_session=cli_session or UNSET,
            model=", ".join(models) or UNSET,
        ),
    )
    usage = verdict.usage if verdict.usage != Usage() else result.progress.usage
    store.set_usage(scene.session.id, scene.layout.attempt, usage, verdict.usage_by_model)
    if result.swept:
        text = f"{result.swept} processes had outlived the agent and were ended"
        store.add_event(scene.session.id, "swept", text)
