"""Answers on their way to a running job: one file for each question, which is written once.

Whoever links the file first has decided: a person who answers, or the runner that gives up.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from abreast.model.question import Decision
from abreast.process.files import load_as, private_folder, write_json
from abreast.process.scratch import scratch_of
from abreast.runner.job import ANSWERS


@dataclass(frozen=True)
class Answered:
    """What became of a question: with NONE nobody has answered, and the job waits no longer."""

    decision: Decision
    answer: str = ""


def put_answer(directory: Path, number: str, answered: Answered) -> bool:
    """Answer a question of the job in `directory`; False when that was decided before."""
    folder = private_folder(directory / ANSWERS)
    file = folder / f"{number}.json"
    scratch = scratch_of(file)
    write_json(scratch, answered)
    try:
        os.link(scratch, file)
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(FileNotFoundError):
            scratch.unlink()
    return True


def find_answer(directory: Path, number: str) -> Answered | None:
    """Return what became of a question of the job in `directory`, or None."""
    return load_as(Answered, directory / ANSWERS / f"{number}.json")
