"""A run's own files, damaged: every verb that reads them answers, or says what is wrong."""

import contextlib
import json
from collections.abc import Iterator

from abreast import api
from abreast.api import handing_over
from abreast.errors import AbreastError
from tests.engine.working.delegation.test_delegation import ask, bullets, says
from tests.support.shapes import VALUES
from tests.support.stage import Stage, task, writes


def damaged(text: str) -> Iterator[str]:
    """Yield what a file may hold instead: other JSON, half of it, and it with one value wrong."""
    yield from ("", text[: len(text) // 2], "\0", *map(json.dumps, VALUES))
    whole = json.loads(text)
    if isinstance(whole, dict):
        for key in whole:
            yield json.dumps({one: value for one, value in whole.items() if one != key})
            yield json.dumps({**whole, key: [{}]})


def read_everything(stage: Stage, session: str) -> None:
    """Call what reads the files of one session; an error of ours is an answer too."""
    places = stage.places
    for call in (
        lambda: list(api.logs(session, places=places)),
        lambda: api.collect(session, places=places),
        lambda: handing_over.handoff(session, places=places),
    ):
        with contextlib.suppress(AbreastError):
            call()


def test_no_file_of_a_session_in_any_shape_is_a_traceback(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("a", writes("a.txt")))
    child = ask(stage, says(bullets("one")))
    for session in (*(one.id for one in run.sessions), child.id):
        files = sorted((stage.places.sessions / session).rglob("*.json"))
        assert {"job.json", "result.json"} <= {file.name for file in files}
        for file in files:
            text = file.read_text()
            for wrong in damaged(text):
                file.write_text(wrong)
                read_everything(stage, session)
            file.write_text(text)
