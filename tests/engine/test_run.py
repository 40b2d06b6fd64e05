"""A plan's tasks run side by side and come to proven ends."""

from abreast.model.states import RunState, SessionState
from tests.support.stage import Stage, task, writes


def test_three_tasks_are_done_each_with_one_commit(stage: Stage) -> None:
    before = stage.repo.git("status", "--porcelain"), stage.repo.git("rev-parse", "HEAD")
    run = stage.run(*(task(name, writes(f"{name}.txt")) for name in ("one", "two", "three")))
    assert run.state is RunState.DONE
    for session in run.sessions:
        assert session.state is SessionState.DONE, session.reason
        assert session.files == (f"{session.task}.txt",)
        branch = f"abreast/{run.id}/{session.task}"
        assert stage.repo.git("rev-parse", branch) == session.commit
        assert stage.repo.git("rev-parse", f"{branch}^") == run.base_sha
        message = stage.repo.git("log", "-1", "--format=%B", branch)
        assert message.splitlines()[0] == f"{session.task} is there."
        assert f"Abreast-Run: {run.id}" in message
        assert f"Abreast-Session: {session.id}" in message
        assert session.final_message == f"wrote {session.task}.txt"
    after = stage.repo.git("status", "--porcelain"), stage.repo.git("rev-parse", "HEAD")
    assert after == before
