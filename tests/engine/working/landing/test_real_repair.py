"""A conflict goes back to the real CLIs: the same conversation, the marks in its files."""

from pathlib import Path

import pytest

from abreast import api
from abreast.model.moves import Say, Shell, Write
from abreast.model.session import LandState
from tests.support.rig import every_cli, rigged, told

pytestmark = pytest.mark.clis


@every_cli
def test_a_conflict_is_repaired_in_the_same_conversation(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path, trapped=False) as rig:
        moves = (Write("notes.txt", "first\nmine\n"), Say("FIRST-WORD"))
        run = rig.stage.run(rig.task("one", *moves, repairs=1))
        rig.repo.commit("Write theirs", {"notes.txt": "first\ntheirs\n"})
        asked = len(rig.turns())
        solve = Shell("printf 'first\\ntheirs\\nmine\\n' > notes.txt")
        rig.play("repair", solve, Say("Solved."), match="cannot go into main as it is")
        [before] = run.sessions
        [after] = api.land(run.id, places=rig.stage.places).sessions
        assert after.landing is LandState.LANDED, (after.state, after.reason)
        assert (after.attempt, after.cli_session) == (2, before.cli_session)
        assert rig.repo.git("show", "main:notes.txt") == "first\ntheirs\nmine"
        again = told(rig.turns()[asked])
        assert all(word in again for word in ("FIRST-WORD", "<<<<<<<", "Write theirs", ">>>>>>>"))
