"""How sessions have landed, asked of the target itself."""

from dataclasses import replace

from abreast.git.call import UTF8, split
from abreast.git.merge import is_landed
from abreast.git.repository import Repository, read_ref
from abreast.model.session import LandState, Run, Session

_TOLD = {LandState.LANDED, LandState.PROPOSED, LandState.UNDONE}


def found_landed(repository: Repository, run: Run, session: Session) -> Session:
    """Return a session that has ended with the landing that its run's target shows.

    One that waited to land, and is not there, waits no longer.
    """
    if not session.commit or session.landing in _TOLD:
        return session
    target = f"refs/heads/{run.target}"
    if run.target and read_ref(repository, target):
        named = commits_of(repository, session.id, target)
        if named or is_landed(repository, session.commit, target, session.base_sha):
            landed = named[0] if named else session.commit
            return replace(session, landing=LandState.LANDED, landed=landed, reason="", hint="")
    waiting = session.landing is LandState.QUEUED
    return replace(session, landing=LandState.NONE) if waiting else session


def commits_of(repository: Repository, session: str, ref: str) -> list[str]:
    """Return the commits below a ref whose message ends with the session's name, newest first."""
    line = f"Abreast-Session: {session}"
    asked = ("log", "-z", "--format=%H%n%B", f"--grep={line}", "-F", ref)
    records = split(repository.call(*asked, config=UTF8).stdout)
    return [one.partition("\n")[0] for one in records if one.rstrip().endswith(f"\n{line}")]
