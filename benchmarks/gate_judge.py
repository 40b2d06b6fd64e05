"""A case gone through from its oldest change: what the gate says of each pair, and what happened.

Everything that is said of a pair is computed from the history up to the commit that the earlier
task starts from (its parent), by the functions that `abreast check` uses.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from abreast.engine.client.gate_history import for_index
from abreast.engine.client.gate_past import look_up
from abreast.gate.chance import TaskSide, chance
from abreast.gate.past import TOP, Past
from abreast.gate.predict import predict
from abreast.gate.study import walk
from abreast.gate.terms import terms
from abreast.model.gate import PredictedPath
from abreast.model.history import Change, ChangeKind, MeetingOutcome, is_task
from abreast.store.gate_cache import open_gate_cache
from abreast.store.gate_index import GateIndex
from benchmarks.gate_bm25 import Bm25
from benchmarks.gate_cases import Case, mechanical_files

_CODE = frozenset(
    """
    c cc cpp cs css cxx ex go h hpp java js jsx kt lua m mjs php pl py pyi rb rs scala scss sh sql
    svelte swift ts tsx vue zig
    """.split()  # noqa: SIM905  a list would take forty lines
)
LEVELS = ("exact files", "code files only", "folders", "one sentence")
EVERY = 4
"""Of one task in so many the pairs are judged by one sentence: each takes eleven predictions."""


@dataclass(frozen=True, slots=True)
class PairSaid:
    """One pair: scores by level, those of the plain rules, and what happened."""

    task: int
    distance: int
    same_author: bool
    shared: int
    hit: bool
    hard: bool
    said: dict[str, float]
    said_hard: dict[str, float]
    rule: dict[str, float]


@dataclass
class Verdicts:
    """What was said of a case. `recalls` are of predicted files: (ours, BM25's) at 5 and 10."""

    name: str
    tasks: list[int] = field(default_factory=list)
    pairs: list[PairSaid] = field(default_factory=list)
    recalls: dict[int, tuple[float, float, float, float]] = field(default_factory=dict)


@dataclass
class _Index:
    """The index as it is at one commit of the history."""

    index: GateIndex
    tree: set[str]
    plain: Bm25
    number: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    def add(self, change: Change) -> None:
        self.number += 1
        self.numbers[change.id] = self.number
        gone = {file.path for file in change.files if file.kind is ChangeKind.DELETED}
        new = {file.path for file in change.files} - gone - self.tree
        self.tree = self.tree - gone | new
        self.index.drop_paths(gone)
        self.index.add_paths({path: " ".join(terms(path)) for path in new})
        self.index.add_changes([for_index(change)])
        self.plain.add(change)

    def add_older(self, change: Change) -> None:
        """Add a change from before the history: what it touched is there or not, as `tree` says."""
        self.number += 1
        self.numbers[change.id] = self.number
        kept = sorted(change.paths & self.tree) if is_task(change) else []
        words = " ".join(terms(change.subject))
        self.index.add_changes([(change.id, words, dict.fromkeys(kept, ""))])
        self.plain.add_words(change.subject, kept)

    def predict(self, past: Past, text: str) -> tuple[PredictedPath, ...]:
        ages = _Ages(self.numbers, self.number)
        return predict(past, look_up(self.index, terms(text), ages, self.tree))


class _Ages(dict[str, int]):
    """How many commits lie behind each change, now."""

    def __init__(self, numbers: dict[str, int], now: int) -> None:
        self.numbers, self.now = numbers, now

    def __contains__(self, key: object) -> bool:
        return key in self.numbers

    def __getitem__(self, key: str) -> int:
        return self.now - self.numbers[key]


def judge(case: Case, warm: int, *, sentences: bool = True) -> Verdicts:
    """Return what the gate says of all pairs whose earlier task has `warm` commits before it."""
    past, verdicts = Past(), Verdicts(case.name)
    mechanical = mechanical_files(case.history)
    numbers = {change.id: at for at, change in enumerate(reversed(case.history.changes))}
    with open_gate_cache(None) as cache:
        index = _Index(GateIndex(cache.connection), set(case.tree), Bm25(case.tree))
        index.index.add_paths({path: " ".join(terms(path)) for path in case.tree})
        for change in case.older:
            index.add_older(change)
        for change, following in walk(case.history, past):
            number = numbers[change.id]
            if number >= warm and is_task(change):
                verdicts.tasks.append(number)
                mine: tuple[PredictedPath, ...] = ()
                if sentences:
                    mine = index.predict(past, change.subject)
                    verdicts.recalls[number] = _recalls(change, mine, index.plain)
                for later, meeting in following:
                    if meeting.outcome is MeetingOutcome.NEITHER:
                        continue
                    said, hard, rule = _said(past, change, later)
                    if sentences and number % EVERY == 0:
                        theirs = index.predict(past, later.subject)
                        said["one sentence"] = _both(past, mine, theirs, change, later)
                        hard["one sentence"] = said["one sentence"]
                        common = {p.path for p in mine} & {p.path for p in theirs}
                        rule["one sentence"] = float(len(common) >= 2)
                    hit = meeting.outcome is MeetingOutcome.ONE
                    verdicts.pairs.append(
                        PairSaid(
                            number,
                            numbers[later.id] - number,
                            change.author == later.author,
                            len(change.paths & later.paths),
                            hit,
                            hit and not set(meeting.conflicted) <= mechanical,
                            said,
                            hard,
                            rule,
                        )
                    )
            index.add(change)
    return verdicts


def _said(
    past: Past, one: Change, other: Change
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    said, hard, rule = {}, {}, {}
    for level in LEVELS[:3]:
        first, second = (_side(change, level, one) for change in (one, other))
        found = chance(past, first, second)
        said[level], hard[level] = found.anywhere, found.probability
        meet = set(first.folders) & set(second.folders) or first.exact & second.exact
        rule[level] = float(bool(meet))
    rule["shared files"] = float(len(one.paths & other.paths))
    return said, hard, rule


def _side(change: Change, level: str, first: Change) -> TaskSide:
    if level == "folders":
        folders = {path.rpartition("/")[0] + "/" if "/" in path else TOP for path in change.paths}
        return TaskSide(folders=tuple(sorted(folders)), sentence=change.subject)
    exact = change.paths
    if level == "code files only":
        exact = frozenset(path for path in exact if path.rpartition(".")[2] in _CODE)
    born = {file.path for file in first.files if file.kind is ChangeKind.ADDED}
    return TaskSide(exact, sentence=change.subject, new=exact & born)


def _both(
    past: Past,
    mine: Sequence[PredictedPath],
    theirs: Sequence[PredictedPath],
    one: Change,
    other: Change,
) -> float:
    """Return the probability of a conflict in a file that both are predicted to write."""
    likely = {path.path: path.probability for path in theirs}
    common = {p.path: p.probability * likely[p.path] for p in mine if p.path in likely}
    sides = [TaskSide(frozenset(common), sentence=change.subject) for change in (one, other)]
    none = 1.0
    for file in chance(past, *sides).files:
        none *= 1 - file.probability * common[file.path]
    return 1 - none


def _recalls(
    change: Change, mine: Sequence[PredictedPath], plain: Bm25
) -> tuple[float, float, float, float]:
    """Return the share of the files that it changed, and did not add, among those predicted."""
    true = {file.path for file in change.files if file.kind is not ChangeKind.ADDED}
    if not true:
        return -1.0, -1.0, -1.0, -1.0
    ours, bm25 = [path.path for path in mine], plain.rank(change.subject)
    found = [len(true & set(r[:k])) / len(true) for k in (5, 10) for r in (ours, bm25)]
    return found[0], found[1], found[2], found[3]
