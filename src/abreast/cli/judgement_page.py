"""The gate's judgement on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from abreast.cli import door
from abreast.cli.figures import one_line
from abreast.model.gate import (
    PairJudgement,
    PairVerdict,
    PlanJudgement,
    Shape,
    TaskJudgement,
)

_STYLES = {
    PairVerdict.COUPLED: "bold red",
    PairVerdict.MAYBE: "yellow",
    PairVerdict.UNKNOWN: "cyan",
}
_SHAPES = {Shape.WIDE: "wide", Shape.WAVES: "wide in waves", Shape.DEEP: "deep"}
_REASONS = 3  # of a pair's evidence, the weightiest
_PREDICTED = 3  # of a task's predicted paths
_PAIRS = 12  # of one verdict


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Yield what shows how far a check is, on standard error while it lasts, at a terminal only."""
    console = door.console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30))
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with shown:
        bar = shown.add_task("", total=None)

        def tick(what: str, done: int, total: int) -> None:
            shown.update(bar, description=what, completed=done, total=total)

        yield tick


def print_judgement(console: Console, found: PlanJudgement) -> None:
    """Print the shape, the waves, the pairs that are not independent, and what to do."""
    console.print(Text.assemble((_SHAPES[found.shape], "bold"), f": {found.reason}"))
    if len(found.waves) > 1:
        console.print()
        for number, wave in enumerate(found.waves, 1):
            _line(console, f"wave {number}  ", Text("  ".join(wave)))
    for verdict in (PairVerdict.COUPLED, PairVerdict.MAYBE):
        _pairs(console, verdict, [pair for pair in found.pairs if pair.verdict is verdict])
    _unknown(console, found)
    if found.advice:
        console.print()
        console.print(Text("what to do", "bold"))
        for one in found.advice:
            _line(console, "  ", Text(one_line(one.words)))
            if one.key:
                console.print(Text(f"    {one.task}: {one.key} = {_toml(one.value)}", "green"))
        if any(one.key for one in found.advice):
            console.print(Text("  --write adds these lines to the plan", "dim"))


def _pairs(console: Console, verdict: PairVerdict, pairs: list[PairJudgement]) -> None:
    """Print the pairs of one verdict; those of the same evidence together."""
    groups: dict[tuple[str, ...], list[PairJudgement]] = {}
    for pair in pairs:
        groups.setdefault(_told(pair), []).append(pair)
    for words, group in list(groups.items())[:_PAIRS]:
        console.print()
        for pair in group[:_PAIRS]:
            console.print(_title(pair))
        if len(group) > _PAIRS:
            console.print(Text(f"{verdict}  and {len(group) - _PAIRS} more pairs", "dim"))
        for one in words:
            _line(console, "  ", Text(one))
    if len(groups) > _PAIRS:
        left = sum(map(len, list(groups.values())[_PAIRS:]))
        console.print(Text(f"\n{verdict}  {left} more pairs; --json lists all", "dim"))


def _title(pair: PairJudgement) -> Text:
    first, second = pair.first, pair.second
    if pair.before == second:
        first, second = second, first
    arrow = " → " if pair.before else " · "
    chance = f", {_percent(pair.probability)} to conflict in text" if pair.probability else ""
    label = (f"{pair.verdict}", _STYLES[pair.verdict])
    return Text.assemble(label, f"  {first}{arrow}{second}{chance}")


def _told(pair: PairJudgement) -> tuple[str, ...]:
    """Return the evidence that asks for a verdict above `unknown`, the weightiest."""
    asks = (one for one in pair.evidence if one.demands.rank > PairVerdict.UNKNOWN.rank)
    return tuple(one_line(one.words) for one in asks)[:_REASONS]


def _unknown(console: Console, found: PlanJudgement) -> None:
    """Tell of the tasks that do not say what they write, once each and not in every pair."""
    unknown = [pair for pair in found.pairs if pair.verdict is PairVerdict.UNKNOWN]
    if not unknown:
        return
    silent = [one for one in found.tasks if _says_nothing(one, found)]
    console.print()
    label = ("unknown", _STYLES[PairVerdict.UNKNOWN])
    pairs = "1 pair" if len(unknown) == 1 else f"{len(unknown)} pairs"
    console.print(Text.assemble(label, f"  {pairs}: these do not say which paths they write"))
    for one in silent:
        guess = ", ".join(
            f"{path.path} ({_percent(path.probability)})" for path in one.predicted[:_PREDICTED]
        )
        told = (
            f"{one.task}: predicted {guess}"
            if guess
            else f"{one.task}: the history has nothing like it"
        )
        _line(console, "  ", Text(one_line(told)))


def _says_nothing(one: TaskJudgement, found: PlanJudgement) -> bool:
    named = f"`{one.task}`"
    return any(
        evidence.demands is PairVerdict.UNKNOWN and named in evidence.words
        for pair in found.pairs
        for evidence in pair.evidence
    )


def _toml(value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(f'"{one}"' for one in value) + "]"


def _percent(probability: float) -> str:
    return "under 1 %" if probability < 0.005 else f"{round(100 * probability)} %"


def _line(console: Console, lead: str, text: Text) -> None:
    """Print a text behind its lead; further lines keep clear of that."""
    for line in text.wrap(console, max(20, console.width - len(lead))):
        line.rstrip()
        console.print(Text.assemble((lead, "dim"), line))
        lead = " " * len(lead)
