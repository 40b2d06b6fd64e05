"""An agent whose provider sends it away, for as long as a file says how; ABREAST_AGENTS names us.

Each start of it is a line in `calls`. While there is a file `said`, its first word is the cause,
the others what the CLI says; without it the agent plays its moves.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from abreast.agents.base import Command, Installed, Launch, StreamReader
from abreast.agents.parts import Certified
from abreast.agents.recorded import stated_reset
from abreast.agents.scripted import ScriptedAgent, ScriptedReader
from abreast.model.cause import Cause
from abreast.model.events import Outcome, Verdict

FOLDER = "AWAY_FOLDER"
AGENT_FILE = Path(__file__)
_SCRIPT = """
echo "$PWD" >> "$0/calls"
if [ -e "$0/said" ]; then printf '{"type": "%s"}\\n' nothing; cat "$0/said" >&2; exit 1; fi
exec "$@"
"""


class AwayReader(ScriptedReader):
    def verdict(self, code: int | None, stderr: str) -> Verdict:
        found = super().verdict(code, stderr)
        word, _, said = stderr.strip().partition(" ")
        if found.outcome is not Outcome.UNKNOWN or word not in set(Cause):
            return found
        cause = Cause(word)
        until = stated_reset(cause, said)
        hint = "log in: away login" if cause is Cause.AUTH else None
        return replace(
            found, outcome=Outcome.FAILED, cause=cause, reason=said, hint=hint, until=until
        )


class AwayAgent(ScriptedAgent):
    name = "away"
    title = "Away"
    env_patterns = (FOLDER,)
    certified = Certified("1.0.0", "1.0.0")

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        found = super().find(environ)
        return replace(found, version="1.0.0") if found else None

    def headless(self, launch: Launch) -> Command:
        command = super().headless(launch)
        folder = launch.environ.get(FOLDER) or os.environ[FOLDER]
        return replace(command, argv=("/bin/sh", "-c", _SCRIPT, folder, *command.argv))

    def reader(self) -> StreamReader:
        return AwayReader()


AGENT = AwayAgent()


class Provider:
    """What the test says of the agent's provider."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def says(self, cause: Cause, said: str) -> None:
        aside = self.folder / "said.new"
        aside.write_text(f"{cause} {said}\n")
        aside.rename(self.folder / "said")

    def is_back(self) -> None:
        (self.folder / "said").unlink()

    @property
    def calls(self) -> int:
        file = self.folder / "calls"
        return len(file.read_text().splitlines()) if file.exists() else 0
