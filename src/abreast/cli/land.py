"""`abreast land`: finished work goes into the target branch."""

import click

from abreast.api import looking
from abreast.cli import options
from abreast.model.session import Run, Session
from abreast.model.states import LandMode, LandState
from abreast.places import find_places


@click.command()
@options.any_name
@click.option("--pr", is_flag=True, help="Push, and open pull requests, instead of merging")
@click.option(
    "--target",
    metavar="BRANCH",
    default="",
    help="Where to land; without it the branch that the run started on",
)
@options.as_json
def land(*, name: str, pr: bool, target: str, json: bool) -> int:
    """Bring finished work into the target branch

    One session after another is merged and verified as merged, before the target moves. A
    conflict or a failed verify bounces that session and leaves the target unchanged; the queue
    continues. The exit code is 0 only if everything has landed.
    """
    from abreast.api import running
    from abreast.api.following import Progress
    from abreast.cli import follow

    found = looking.run_or_session(name, find_places())
    session = found if isinstance(found, Session) else None
    run = found if isinstance(found, Run) else looking.find_run(found.run)
    mode = LandMode.PR if pr else LandMode.MERGE
    landed: list[Run] = []

    def work(progress: Progress) -> Run:
        landed.append(running.land(found.id, mode, target=target, progress=progress))
        return landed[0]

    code = follow.show(run, work, json=json, subject="landing")
    return code_of_session(landed[0], session.id) if session and landed else code


def code_of_session(run: Run, name: str) -> int:
    """Return 0 when the session `name` has landed or is proposed, else 1."""
    arrived = {LandState.LANDED, LandState.PROPOSED}
    return 0 if any(s.id == name and s.landing in arrived for s in run.sessions) else 1
