"""A session of a real CLI that is retried afresh: one row, with what both attempts have used.

That the record of each CLI is found and read to the last token, `test_resumed.py` proves; that the
attempts of a session are one row has nothing to do with the CLI.
"""

from pathlib import Path

import pytest

import abreast
from abreast.model.moves import Say, Spend, Write
from abreast.model.session import SessionState
from tests.support.rig import quickest_cli, rigged


@pytest.mark.clis
@quickest_cli
def test_a_retried_session_has_both_attempts(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig:
        places = rig.stage.places
        moves = (Spend(1000, 100, 10), Write("a.txt", "1\n"), Spend(2000, 200, 20), Say("Done."))
        run = rig.stage.run(rig.task("one", *moves, verify="false"))
        [first] = run.sessions
        assert first.state is SessionState.FAILED
        abreast.retry(first.id, places=places)
        [again] = rig.stage.wait(run.id).sessions
        assert again.cli_session != first.cli_session
        [row] = abreast.ledger(places=places, by="session").rows
        assert (row.name, row.sessions, row.requests) == (first.id, 1, 4)
        assert (row.input_tokens, row.cached_tokens, row.output_tokens) == (6000, 600, 60)
        [by_run] = abreast.ledger(places=places, by="run").rows
        assert (by_run.name, by_run.input_tokens) == (run.id, 6000)
