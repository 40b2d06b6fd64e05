"""How well the gate tells which tasks conflict, on a made repository and on clones.

Alone: `python -m benchmarks gate --repo PATH …`; clones are also read from ABREAST_BENCH_REPOS
(paths, with colons between them).
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from abreast.model.history import MeetingOutcome
from benchmarks.gate_cases import WARM, Case, load
from benchmarks.gate_judge import LEVELS, PairSaid, Verdicts, judge
from benchmarks.gate_made import make
from benchmarks.gate_scores import Interval, Judged, Statistic, calibration, intervals, ranking
from benchmarks.report import Aim, Section, Table, say

CLONES = "ABREAST_BENCH_REPOS"
TEXT = """\
Two neighbours of a history (at most ten commits apart) are asked whether they could have started
together: the later one is put onto the earlier one and onto its parent. That it goes onto one and
not onto the other means that the two conflict. What the gate says of a pair is computed from the
history up to the parent of the earlier one. *Exact files* are known only afterwards: they are the
upper bound of what declared paths can tell. Ratios are over the plain rule's precision at its
own recall (nearly 1): that both write one file, or that their folders meet. Figures are means over
the clones, and the middle 90 % of what other tasks might have given (blocks of 20 tasks)."""

Pick = Callable[[PairSaid], float]


def measure(ground: Path, *, quick: bool) -> Section:
    section = Section("Gate", TEXT)
    _made(section, ground / "made", 200 if quick else 600)
    named = [Path(path) for path in os.environ.get(CLONES, "").split(":") if path]
    if named:
        _clones(section, named, quick=quick)
    else:
        section.notes.append(f"No clones: {CLONES} names none.")
    return section


def _made(section: Section, folder: Path, count: int) -> None:
    """Judge the made repository: git must find the conflicts that were made, and the gate them."""
    made = make(folder, count)
    case = load(folder)
    changes = [change.id for change in reversed(case.history.changes)]
    number = {name: at - 1 for at, name in enumerate(changes)}
    wrong = 0
    for meeting in case.history.meetings:
        one, other = number[meeting.earlier], number[meeting.later]
        if one < 0 or meeting.outcome is MeetingOutcome.NEITHER:
            continue
        true = made[one].meets(made[other]) or (made[one].logged and made[other].logged)
        wrong += true is not (meeting.outcome is MeetingOutcome.ONE)
    verdicts = judge(case, count // 3)
    pairs = verdicts.pairs
    ours = ranking(_scored(pairs, lambda pair: pair.said["exact files"]))
    plain = ranking(_scored(pairs, lambda pair: pair.rule["exact files"]))
    hard = sum(pair.hard for pair in pairs)
    log = "CHANGES.md"
    conflicts = Counter(path for one in case.history.meetings for path in one.conflicted)
    mechanical = Counter(path for one in case.history.meetings for path in one.mechanical)
    section.notes.append(
        f"Made: {count} changes, {len(pairs):,} pairs judged, {sum(p.hit for p in pairs)} of them "
        f"conflict ({hard} not only in the change log); average precision {ours.average:.2f}, "
        f"precision at recall 0.8 {ours.at[1]:.2f}, of the same-file rule {plain.at[1]:.2f}."
    )
    section.aims += [
        Aim("made: git finds just the conflicts that were made", f"{wrong} wrong", wrong == 0),
        Aim(
            "made: all conflicts in the change log, and no others, are mechanical",
            f"{mechanical[log]} of {conflicts[log]}, {mechanical.total() - mechanical[log]} others",
            mechanical.total() == mechanical[log] == conflicts[log],
        ),
        Aim(
            "made: precision at recall 0.8 above the same-file rule's",
            f"{ours.at[1]:.2f} over {plain.at[1]:.2f}",
            ours.at[1] > plain.at[1],
        ),
    ]


def _clones(section: Section, paths: Sequence[Path], *, quick: bool) -> None:
    keep = os.environ.get("ABREAST_BENCH_KEEP")
    all_: list[Verdicts] = []
    for path in paths:
        began = time.process_time()
        case: Case = load(path, Path(keep) if keep else None)
        all_.append(judge(case, WARM, sentences=not quick))
        say(f"{case.name}: {len(all_[-1].pairs)} pairs, {time.process_time() - began:.0f} s of CPU")
    report(section, all_)


def report(section: Section, all_: Sequence[Verdicts]) -> None:
    found = _levels(all_)
    section.tables += [_by_repository(all_), _by_level(found), _by_kind(all_)]
    section.tables += [_calibration(all_), _files(all_)]
    section.aims += _aims(all_, found)


def _by_repository(all_: Sequence[Verdicts]) -> Table:
    rows = []
    for one in all_:
        shared = [pair for pair in one.pairs if pair.shared]
        hits = sum(pair.hit for pair in one.pairs)
        found = ranking(_scored(one.pairs, _exact))
        rows.append(
            (
                one.name,
                f"{len(one.pairs):,}",
                f"{len(shared):,}",
                f"{hits} ({sum(pair.hard for pair in one.pairs)})",
                f"{hits / max(1, len(shared)):.2f}",
                f"{found.average:.2f}",
                " / ".join(f"{at:.2f}" for at in found.at),
            )
        )
    head = ("repository", "pairs", "share a file", "conflict (not only mechanical)")
    more = ("same-file precision", "average precision", "precision at recall .5 / .8 / .9")
    return Table((*head, *more), rows, "Pairs, and exact files")


@dataclass(frozen=True)
class Level:
    """Of one level, over all repositories: ours, and as a multiple of the plain rule's."""

    average: Interval
    half: Interval
    most: Interval  # recall 0.8
    nearly: Interval  # recall 0.9
    times_most: Interval
    times_nearly: Interval
    rule: Interval
    rule_most: Interval


Found = dict[tuple[str, bool], Level]


def _levels(all_: Sequence[Verdicts]) -> Found:
    """Return the figures of each level, for all conflicts and for those not only mechanical."""
    found: Found = {}
    for level in LEVELS:
        if all(any(level in pair.said for pair in one.pairs) for one in all_):
            for hard in (False, True):
                statistics = [_statistic(one, level, hard) for one in all_]
                tasks = [one.tasks for one in all_]
                found[level, hard] = Level(*intervals(tasks, statistics))
    return found


def _statistic(one: Verdicts, level: str, hard: bool) -> Statistic:
    by_task: dict[int, list[PairSaid]] = {}
    for pair in one.pairs:
        if level in pair.said:
            by_task.setdefault(pair.task, []).append(pair)

    def statistic(tasks: Sequence[int]) -> tuple[float, ...]:
        pairs = [pair for task in tasks for pair in by_task.get(task, ())]
        ours = ranking(_judged(pairs, level, hard, False))
        rule = ranking(_judged(pairs, level, hard, True))
        times = [mine / (its or 1.0) for mine, its in zip(ours.at, rule.at, strict=True)]
        return (ours.average, *ours.at, times[1], times[2], rule.average, rule.at[1])

    return statistic


def _by_level(found: Found) -> Table:
    rows = [
        (
            f"{level}, {'not only mechanical' if hard else 'all conflicts'}",
            str(one.average),
            str(one.half),
            str(one.most),
            str(one.nearly),
            f"{one.rule.mean:.2f}, {one.rule_most.mean:.2f}",
            str(one.times_most),
            str(one.times_nearly),
        )
        for (level, hard), one in found.items()
    ]
    head = ("level", "average precision", "P at .5", "P at .8", "P at .9")
    return Table((*head, "plain rule: AP, P at .8", "x rule at .8", "x rule at .9"), rows, "Levels")


def _by_kind(all_: Sequence[Verdicts]) -> Table:
    parts: list[tuple[str, Callable[[PairSaid], bool]]] = [
        ("distance 1", lambda pair: pair.distance == 1),
        ("distance 2-5", lambda pair: 2 <= pair.distance <= 5),
        ("distance 6-10", lambda pair: pair.distance >= 6),
        ("same author", lambda pair: pair.same_author),
        ("different authors", lambda pair: not pair.same_author),
    ]
    rows = []
    for name, wanted in parts:
        kept = [[pair for pair in one.pairs if wanted(pair)] for one in all_]
        found = [ranking(_scored(pairs, _exact)) for pairs in kept]
        plain = [ranking(_scored(pairs, _same_file)) for pairs in kept]
        hits = sum(pair.hit for pairs in kept for pair in pairs)
        values = [[one.average, *one.at] for one in found if one.base]
        means = [sum(column) / len(column) for column in zip(*values, strict=True)]
        base = [one.at[1] for one in plain if one.base]
        text = [f"{value:.2f}" for value in means]
        rows.append((name, str(hits), *text, f"{sum(base) / max(1, len(base)):.2f}"))
    head = ("pairs", "conflict", "average precision", "P at .5", "P at .8", "P at .9")
    return Table((*head, "same-file precision"), rows, "Exact files, by kind of pair")


def _calibration(all_: Sequence[Verdicts]) -> Table:
    pairs = [pair for one in all_ for pair in _scored(_shared(one), _exact)]
    rows = [
        (f"{said:.2f}", f"{was:.2f}", str(count)) for said, was, count in calibration(pairs).table
    ]
    return Table(("said", "happened", "pairs"), rows, "Pairs that share a file, exact files")


def _files(all_: Sequence[Verdicts]) -> Table:
    rows = []
    for one in all_:
        found = [recall for recall in one.recalls.values() if recall[0] >= 0]
        if found:
            means = [sum(column) / len(found) for column in zip(*found, strict=True)]
            rows.append((one.name, *(f"{value:.2f}" for value in means)))
    head = ("repository", "recall@5", "BM25's", "recall@10", "BM25's")
    return Table(head, rows, "Files predicted from one sentence")


def _aims(all_: Sequence[Verdicts], found: Found) -> list[Aim]:
    exact, folders = LEVELS[0], LEVELS[2]
    average = found[exact, False].average
    at8, at9 = found[exact, False].times_most, found[exact, False].times_nearly
    hard, wide = found[exact, True].times_most, found[folders, False].times_most
    skills = [calibration(_scored(_shared(one), _exact)) for one in all_]
    skill = sum(one.skill for one in skills) / len(skills)
    error = sum(one.error for one in skills) / len(skills)
    aims = [
        Aim("exact files: average precision >= 0.60", str(average), average.mean >= 0.60),
        Aim(
            "precision at recall 0.8 >= 1.65 x the same-file rule's (lower bound >= 1.5)",
            str(at8),
            at8.mean >= 1.65 and at8.low >= 1.5,
        ),
        Aim("at recall 0.9 >= 1.5 x", str(at9), at9.mean >= 1.5),
        Aim(
            "not only mechanical: at 0.8 >= 2.0 x (lower bound >= 1.75)",
            str(hard),
            hard.mean >= 2.0 and hard.low >= 1.75,
        ),
        Aim("folders: at 0.8 >= 2.5 x the rule that folders meet", str(wide), wide.mean >= 2.5),
        Aim("Brier skill >= 0.20 (pairs that share a file)", f"{skill:.2f}", skill >= 0.20),
        Aim("expected calibration error <= 0.08", f"{error:.2f}", error <= 0.08),
    ]
    if all(one.recalls for one in all_):
        gain = _recall_gain(all_)
        aims.append(Aim("recall@10 >= 0.06 above BM25", str(gain), gain.mean >= 0.06))
    return aims


def _recall_gain(all_: Sequence[Verdicts]) -> Interval:
    def gain(one: Verdicts) -> Statistic:
        def statistic(tasks: Sequence[int]) -> tuple[float, ...]:
            found = [one.recalls[task] for task in tasks if one.recalls[task][0] >= 0]
            return (sum(recall[2] - recall[3] for recall in found) / max(1, len(found)),)

        return statistic

    return intervals([one.tasks for one in all_], [gain(one) for one in all_])[0]


def _judged(pairs: Sequence[PairSaid], level: str, hard: bool, rule: bool) -> list[Judged]:
    said: Pick
    if rule:
        said = lambda pair: pair.rule[level]  # noqa: E731
    else:
        said = lambda pair: (pair.said_hard if hard else pair.said)[level]  # noqa: E731
    return [Judged(p.task, said(p), p.hard if hard else p.hit) for p in pairs]


def _scored(pairs: Sequence[PairSaid], said: Pick) -> list[Judged]:
    return [Judged(pair.task, said(pair), pair.hit) for pair in pairs]


def _shared(one: Verdicts) -> list[PairSaid]:
    return [pair for pair in one.pairs if pair.shared]


def _exact(pair: PairSaid) -> float:
    return pair.said[LEVELS[0]]


def _same_file(pair: PairSaid) -> float:
    return pair.rule[LEVELS[0]]
