"""All evidence on one pair of tasks, and the verdict that it amounts to."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

from abreast.gate.chance import Chance, TaskSide, altogether, chance, is_mechanical
from abreast.gate.meeting import meetings, side_of
from abreast.gate.opinion import Opinion
from abreast.gate.past import Past
from abreast.gate.planned import BaseTree, PlannedTask
from abreast.gate.recalibration import recalibrated
from abreast.gate.references import Known, Reference, common_names, references
from abreast.gate.resources import Claims, claims_of, shared_resources
from abreast.gate.texts import Texts
from abreast.gate.thresholds import COUPLED_AT, MAYBE_AT, SHOWN_AT, TYPICAL_FILES
from abreast.gate.words import met_in
from abreast.model.gate import (
    AS_STATED,
    EvidenceKind,
    GateEvidence,
    PairJudgement,
    PairVerdict,
    PredictedPath,
    Recalibration,
)
from abreast.model.text import percent

_KEPT = "keeping both sides mostly resolves it"
_SHOWN = 4  # of the files that both may write, those where they most probably conflict


@dataclass(frozen=True)
class Seen:
    """What was found out about the repository, as far as these tasks need it.

    `predicted` has paths for the tasks that declare none. `known` are names in code that are in
    the tree already. Of the files in `united` git keeps both sides of a merge.
    `recalibration` is what this repository's runs have taught.
    """

    tree: BaseTree
    past: Past
    predicted: Mapping[str, tuple[PredictedPath, ...]]
    known: Known
    opinions: Sequence[Opinion] = ()
    united: frozenset[str] = frozenset()
    recalibration: Recalibration = AS_STATED

    def is_easy(self, path: str) -> bool:
        """Return whether a conflict in a file resolves without thinking, or is none."""
        return path in self.united or is_mechanical(self.past, path)


@dataclass(frozen=True)
class _Task:
    work: PlannedTask
    texts: Texts
    side: TaskSide
    claims: Claims
    predicted: tuple[PredictedPath, ...]

    @cached_property
    def writes(self) -> Mapping[str, float]:
        """The files that it names or that are predicted, with how probably it writes each."""
        guessed = {one.path: one.probability for one in self.predicted}
        return guessed | dict.fromkeys(self.work.declared.named, 1.0)

    def may_write(self, path: str) -> float:
        """Return how probably it writes a file."""
        matched = self.work.declared.matched
        if path in self.writes or path not in matched:
            return self.writes.get(path, 0.0)
        return min(1.0, TYPICAL_FILES / len(matched))


def judge_pairs(works: Sequence[PlannedTask], seen: Seen) -> list[PairJudgement]:
    """Return the judgement of every pair, in the plan's order."""
    tasks = [_task(work, seen) for work in works]
    return [_judge(one, other, seen) for one, other in combinations(tasks, 2)]


def _task(work: PlannedTask, seen: Seen) -> _Task:
    texts = Texts.of(work.task)
    claims = claims_of(work, texts, seen.tree)
    predicted = () if work.declared else tuple(seen.predicted.get(work.id, ()))
    return _Task(work, texts, side_of(work), claims, predicted)


def _judge(one: _Task, other: _Task, seen: Seen) -> PairJudgement:
    stated = bool(one.work.declared and other.work.declared)
    found = list(meetings(one.work, other.work, seen.united))
    probability: float | None = None
    if stated:
        # Going through the files below a folder takes time, and most pairs do not meet at all.
        met = _chance(one, other, seen) if found else Chance(0.0)
        probability = met.anywhere
        named = one.side.exact & other.side.exact
        found = _with_past(found, list(_past(met, named, one.side.new & other.side.new)))
    elif one.predicted or other.predicted:
        guess = list(_predicted(one, other, seen))
        probability = 1 - math.prod(1 - (e.probability or 0.0) for e in guess)
        found += _worst(guess)
    if not stated:
        found.append(_unstated(one, other))
    referred = [one for one in _references(one, other, seen) if _counts(one.evidence, seen)]
    found += (reference.evidence for reference in referred)
    files = seen.tree.names_one_file
    common = common_names(one.work, one.texts, other.work, other.texts, seen.known, files=files)
    found += (evidence for evidence in common if _counts(evidence, seen))
    found += shared_resources(one.claims, other.claims, seen.tree)
    found += _opinions(one, other, seen.opinions)
    verdict = _worst_of(*(one.demands for one in found))
    before = _before(referred)
    return PairJudgement(
        one.work.id, other.work.id, verdict, probability, tuple(_ordered(found)), before
    )


def _chance(one: _Task, other: _Task, seen: Seen) -> Chance:
    met = chance(seen.past, one.side, other.side)
    left = altogether([file for file in met.files if file.path not in seen.united])
    return recalibrated(left, seen.recalibration)


def _counts(evidence: GateEvidence, seen: Seen) -> bool:
    """Return whether it says more than that a text names a change log, as most prompts do."""
    maybe = evidence.demands is PairVerdict.MAYBE
    return not (maybe and evidence.paths and all(map(seen.is_easy, evidence.paths)))


def _with_past(met: Sequence[GateEvidence], past: Sequence[GateEvidence]) -> list[GateEvidence]:
    """Return both, with what the history says of a file in the place of that both name it."""
    asked = {path: e.demands for e in met for path in e.paths if e.demands is PairVerdict.MAYBE}
    told = {path for one in past for path in one.paths}
    left = [
        e for e in met if not (e.paths and set(e.paths) <= told and set(e.paths) <= asked.keys())
    ]
    raised = [
        replace(one, demands=_worst_of(one.demands, *(asked[p] for p in one.paths if p in asked)))
        for one in past
    ]
    return [*raised, *left]


def _worst_of(*verdicts: PairVerdict) -> PairVerdict:
    return max(verdicts, key=lambda verdict: verdict.rank, default=PairVerdict.INDEPENDENT)


def _past(met: Chance, named: frozenset[str], new: frozenset[str]) -> Iterator[GateEvidence]:
    """Yield what the history says of the files that both tasks may write.

    `named` both do; of those that are `new` there is no history.
    """
    old = [file for file in met.files if file.path not in new]
    worth = [file for file in old if file.probability >= SHOWN_AT][:_SHOWN]
    plain = [file for file in worth if not file.mechanical]
    for file in plain:
        words = met_in(file, sure=file.path in named)
        demands = _demand(file.probability)
        yield GateEvidence(EvidenceKind.PAST, words, (file.path,), file.probability, demands)
    whole = _demand(met.probability) if old else PairVerdict.INDEPENDENT
    if whole.rank > max((_demand(file.probability).rank for file in plain), default=0):
        words = f"all that both may write makes a conflict {percent(met.probability)} likely"
        yield GateEvidence(EvidenceKind.PAST, words, probability=met.probability, demands=whole)
    for file in worth:
        if file.mechanical:
            told = met_in(file, sure=file.path in named)
            words = f"{told}; {_KEPT}"
            demands = _at_most_maybe(file.probability)
            kind = EvidenceKind.MECHANICAL
            yield GateEvidence(kind, words, (file.path,), file.probability, demands)


def _predicted(one: _Task, other: _Task, seen: Seen) -> Iterator[GateEvidence]:
    """Yield the files that both tasks will write with some probability, though not both say so."""
    for path in sorted((one.writes.keys() | other.writes.keys()) - seen.united):
        both = one.may_write(path) * other.may_write(path)
        if not both:
            continue
        side = TaskSide(exact=frozenset({path}))
        [file] = chance(seen.past, side, side).files
        words = f"both may write `{path}`, as far as the history tells ({percent(both)})"
        kind = EvidenceKind.PREDICTED
        if file.mechanical:
            words, kind = f"{words}; {_KEPT}", EvidenceKind.MECHANICAL
        yield GateEvidence(kind, words, (path,), both * file.probability)


def _worst(guesses: Sequence[GateEvidence]) -> Iterator[GateEvidence]:
    """Yield the guesses that matter; all together they make a pair `maybe` at most.

    Mechanical files make it nothing: every task may add a line to the change log.
    """
    ranked = sorted(guesses, key=lambda guess: -(guess.probability or 0.0))
    plain = [guess for guess in ranked if guess.kind is EvidenceKind.PREDICTED]
    demands = _at_most_maybe(1 - math.prod(1 - (guess.probability or 0.0) for guess in plain))
    for guess in plain[:3]:
        if (guess.probability or 0.0) >= SHOWN_AT or demands is PairVerdict.MAYBE:
            yield replace(guess, demands=demands)
    for guess in ranked:
        if guess.kind is EvidenceKind.MECHANICAL and (guess.probability or 0.0) >= SHOWN_AT:
            yield guess


def _unstated(one: _Task, other: _Task) -> GateEvidence:
    silent = [task.work.id for task in (one, other) if not task.work.declared]
    names = " and ".join(f"`{name}`" for name in silent)
    said = (
        "does not say which paths it writes" if len(silent) == 1 else "do not say what they write"
    )
    return GateEvidence(EvidenceKind.PATHS, f"{names} {said}", demands=PairVerdict.UNKNOWN)


def _references(one: _Task, other: _Task, seen: Seen) -> Iterator[Reference]:
    files = seen.tree.names_one_file
    for a, b in ((one, other), (other, one)):
        yield from references(a.work, a.texts, b.work, b.texts, seen.known, files=files)


def _before(referred: Iterable[Reference]) -> str:
    """Return the task that the other one refers to, "" where each refers to the other."""
    coupled = {r.first for r in referred if r.evidence.demands is PairVerdict.COUPLED}
    firsts = coupled or {reference.first for reference in referred}
    return firsts.pop() if len(firsts) == 1 else ""


def _opinions(one: _Task, other: _Task, opinions: Iterable[Opinion]) -> Iterator[GateEvidence]:
    for said in opinions:
        if {said.first, said.second} == {one.work.id, other.work.id}:
            words = f"the agent that was asked: {said.why}"
            yield GateEvidence(EvidenceKind.OPINION, words, demands=PairVerdict.MAYBE)


def _demand(probability: float) -> PairVerdict:
    if probability >= COUPLED_AT:
        return PairVerdict.COUPLED
    return _at_most_maybe(probability)


def _at_most_maybe(probability: float) -> PairVerdict:
    return PairVerdict.MAYBE if probability >= MAYBE_AT else PairVerdict.INDEPENDENT


def _ordered(found: Iterable[GateEvidence]) -> list[GateEvidence]:
    """Return evidence by what it asks for, each sentence once."""
    once = {one.words: one for one in found}
    return sorted(once.values(), key=lambda one: -one.demands.rank)
