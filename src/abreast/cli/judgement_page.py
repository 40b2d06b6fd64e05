"""The gate's judgement on a terminal."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from abreast.cli import door
from abreast.faces.figures import counted, one_line
from abreast.model.gate import (
    PairJudgement,
    PairVerdict,
    PlanJudgement,
    Shape,
)
from abreast.model.text import percent

_STYLES = {
    PairVerdict.COUPLED: "bold red",
    PairVerdict.MAYBE: "yellow",
    PairVerdict.UNKNOWN: "cyan",
}
_SHAPES = {Shape.WIDE: "wide", Shape.WAVES: "wide in waves", Shape.DEEP: "deep"}
_REASONS = 3  # of a pair's evidence, the weightiest
_PREDICTED = 3  # of a task's predicted paths
_GROUPS = 12  # of pairs with the same evidence, and of tasks that state no paths
_PAIRS = 6  # of one group


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


def print_judgement(console: Console, found: PlanJudgement, *, how: str = "") -> None:
    """Print the shape, the waves, the pairs that are not independent, and what to do.

    `how` says what to do with the lines for a plan file.
    """
    console.print(Text.assemble((_SHAPES[found.shape], "bold"), f": {found.reason}"))
    if len(found.waves) > 1:
        console.print()
        for number, wave in enumerate(found.waves, 1):
            _line(console, f"wave {number}  ", Text("  ".join(wave)))
    added = {(edge.earlier, edge.later) for edge in found.edges}
    for verdict in (PairVerdict.COUPLED, PairVerdict.MAYBE):
        _pairs(console, verdict, [pair for pair in found.pairs if pair.verdict is verdict], added)
    _unknown(console, found)
    if found.recalibration.pairs:
        console.print()
        pairs = counted(found.recalibration.pairs, "pair")
        _line(console, "", Text(f"recalibrated on {pairs} of this repository's runs", "dim"))
    if found.advice:
        console.print()
        console.print(Text("what to do", "bold"))
        for one in found.advice:
            _line(console, "  ", Text(one_line(one.words)))
            if one.key:
                console.print(Text(f"    {one.task}: {one.key} = {_toml(one.value)}", "green"))
        if how and any(one.key for one in found.advice):
            _line(console, "  ", Text(how, "dim"))


def _pairs(
    console: Console,
    verdict: PairVerdict,
    pairs: list[PairJudgement],
    added: Collection[tuple[str, str]],
) -> None:
    """Print the pairs of one verdict; those of the same evidence together, likely conflicts first.

    `added` are the edges that the plan does not have itself.
    """
    if verdict is PairVerdict.MAYBE:
        pairs.sort(key=lambda pair: -(pair.probability or 0.0))
    groups: dict[tuple[str, ...], list[PairJudgement]] = {}
    for pair in pairs:
        groups.setdefault(_told(pair), []).append(pair)
    for words, group in list(groups.items())[:_GROUPS]:
        console.print()
        for pair in group[:_PAIRS]:
            console.print(_title(pair, added))
        if len(group) > _PAIRS:
            more = counted(len(group) - _PAIRS, "more pair")
            console.print(Text(f"{verdict}  and {more}", "dim"))
        for one in words:
            _line(console, "  ", Text(one))
    if len(groups) > _GROUPS:
        left = counted(sum(map(len, list(groups.values())[_GROUPS:])), "more pair")
        console.print(Text(f"\n{verdict}  {left}; --json lists all", "dim"))


def _title(pair: PairJudgement, added: Collection[tuple[str, str]]) -> Text:
    first, second = pair.first, pair.second
    if pair.before == second:
        first, second = second, first
    arrow = " → " if pair.before else " · "
    chance = f", {percent(pair.probability)} to conflict in text" if pair.probability else ""
    given = pair.before and (first, second) not in added
    order = ", in sequence by the plan" if given else ""
    label = (f"{pair.verdict}", _STYLES[pair.verdict])
    return Text.assemble(label, f"  {first}{arrow}{second}{chance}{order}")


def _told(pair: PairJudgement) -> tuple[str, ...]:
    """Return the evidence that asks for a verdict above `unknown`, the weightiest."""
    asks = (one for one in pair.evidence if one.demands.rank > PairVerdict.UNKNOWN.rank)
    return tuple(one_line(one.words) for one in asks)[:_REASONS]


def _unknown(console: Console, found: PlanJudgement) -> None:
    """Tell of the tasks that do not say what they write, once each and not in every pair."""
    silent = [one for one in found.tasks if not one.stated]
    if not silent or len(found.tasks) < 2:
        return
    pairs = sum(pair.verdict is PairVerdict.UNKNOWN for pair in found.pairs)
    label = (f"{PairVerdict.UNKNOWN}", _STYLES[PairVerdict.UNKNOWN])
    which = f"{counted(pairs, 'pair')}: " if pairs else ""
    console.print()
    lead = Text.assemble(label, f"  {which}these do not say which paths they write")
    _line(console, "", lead)
    for one in silent[:_GROUPS]:
        guess = ", ".join(
            f"{path.path} ({percent(path.probability)})" for path in one.predicted[:_PREDICTED]
        )
        told = f"predicted {guess}" if guess else "the history has nothing like it"
        _line(console, "  ", Text(one_line(f"{one.task}: {told}")))
    if len(silent) > _GROUPS:
        more = counted(len(silent) - _GROUPS, "more task")
        console.print(Text(f"  and {more}; --json lists all", "dim"))


def _toml(value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "[" + ", ".join(f'"{one}"' for one in value) + "]"


def _line(console: Console, lead: str, text: Text) -> None:
    """Print a text behind its lead; further lines keep clear of that."""
    for line in text.wrap(console, max(20, console.width - len(lead))):
        line.rstrip()
        console.print(Text.assemble((lead, "dim"), line))
        lead = " " * len(lead)
