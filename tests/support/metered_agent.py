"""The scripted agent with a quota: while its file `quota` in HOME is there, a model would say no.

abreast gets it by the name of this file, in the variable ABREAST_AGENTS.
"""

from dataclasses import replace
from pathlib import Path

from abreast.agents.base import Command, Launch, StreamReader
from abreast.agents.scripted import ScriptedAgent, ScriptedReader
from abreast.model.events import Cause, Verdict
from abreast.model.moves import Fail

USED_UP = "the quota is used up"


class MeteredAgent(ScriptedAgent):
    """Plays the moves of its task, or fails at once where its account has nothing left."""

    name = "metered"
    title = "Metered (for tests)"

    def headless(self, launch: Launch) -> Command:
        if not (Path(launch.environ["HOME"]) / "quota").exists():
            return super().headless(launch)
        nothing = replace(launch.choice, moves=(Fail(USED_UP),))
        return super().headless(replace(launch, choice=nothing, resume=False))

    def reader(self) -> StreamReader:
        return MeteredReader()


class MeteredReader(ScriptedReader):
    def verdict(self, code: int | None, stderr: str) -> Verdict:
        found = super().verdict(code, stderr)
        if found.reason != USED_UP:
            return found
        return replace(found, cause=Cause.SESSION_LIMIT, hint="wait until it is filled up again")


AGENT = MeteredAgent()
