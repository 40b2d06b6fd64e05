"""How right the gate has been: said and happened for each pair of a run, and the score."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from abreast.cli import as_json
from abreast.cli.console import Column, Grid
from abreast.faces import figures
from abreast.gate.review import Band, Review, ReviewedPair, Score
from abreast.model.gate import Happened, TaskOutcome
from abreast.model.text import counted, named, percent

_STYLES = {
    Happened.CLEAN: "green",
    Happened.CONFLICT: "red",
    Happened.SEQUENCE: "dim",
    Happened.UNTRIED: "dim",
}


def whole(found: Review) -> RenderableType:
    """Return a review as a person reads it."""
    grid = Grid(_COLUMNS, [_row(pair) for pair in found.run.pairs])
    outcome = found.run.judged.outcome
    told = [line for task in outcome.tasks for line in _notes(task)] if outcome else []
    notes = [Text(line, overflow="fold") for line in told]
    if notes:
        notes.append(Text())
    head = Text(f"run {found.run.judged.run}", "bold")
    return Group(head, grid, Text(), *notes, _score(found.score))


_COLUMNS = (
    Column("task", least=8),
    Column("and", least=8),
    Column("said"),
    Column("", right=True),
    Column("happened"),
    Column("where", least=12, fill=True),
)


def review_dict(found: Review) -> dict[str, Any]:
    """Return a review for JSON."""
    return {"review": as_json.plain(found.run), "score": as_json.plain(found.score)}


def _row(pair: ReviewedPair) -> tuple[Text, ...]:
    said, outcome = pair.said, pair.outcome
    happened = outcome.happened if outcome else None
    return (
        Text(said.first),
        Text(said.second),
        Text(said.verdict),
        Text("" if said.probability is None else percent(said.probability)),
        Text(happened or "not ended", _STYLES[happened] if happened else "dim"),
        Text(named(outcome.paths) if outcome and outcome.paths else ""),
    )


def _notes(task: TaskOutcome) -> list[str]:
    told = []
    if task.outside:
        told.append(f"{task.task} wrote outside its declared paths: {named(task.outside)}")
    if task.bounced:
        told.append(f"{task.task} bounced: {figures.one_line(task.bounced)}")
    return told


def _score(score: Score) -> Text:
    head = f"{counted(score.runs, 'run')} here, {counted(score.pairs, 'pair')} judged"
    text = Text(f"{head}, {score.tried} of them tried side by side", overflow="fold")
    if not score.tried:
        return text.append(": what is put in sequence, or not done, shows nothing")
    text.append(f", {counted(score.conflicts, 'conflict')}")
    if score.precision is not None:
        right = percent(score.precision)
        text.append(f"\nprecision: {right} of {score.warned} that it warned of conflicted")
    if score.recall is not None:
        text.append(f"\nrecall: it warned of {percent(score.recall)} of the conflicts")
    for band in score.calibration:
        text.append(f"\n{_band(band)}")
    return text


def _band(band: Band) -> str:
    happened = f"{percent(band.happened)} of {counted(band.pairs, 'pair')}"
    return f"said {percent(band.said)} on average, happened {happened}"
