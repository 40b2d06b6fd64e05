"""References: the text of one task names another one, or what that is to make or to change."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from abreast.gate.planned import PlannedTask
from abreast.gate.texts import Texts
from abreast.gate.words import listed
from abreast.model.gate import EvidenceKind, GateEvidence, PairVerdict

Known = Callable[[str], bool]
"""Returns whether a name is in the tree already: nobody is going to introduce that."""

_ON = (
    r"(?:after|once|depends?\s+on|depending\s+on|relies\s+on|rely\s+on|builds?\s+on|based\s+on|"
    r"on\s+top\s+of|introduced\s+(?:by|in)|added\s+(?:by|in)|created\s+(?:by|in)|made\s+by|"
    r"produced\s+by|written\s+by|results?\s+of|output\s+of|waits?\s+for)"
)
_WITH = rf"(?:{_ON}|uses?|using|from|needs?|requires?|extends?|with)"
_FILLER = r"(?:\s+(?:the|an?|new|of|task|work|results?|output|changes?|what|from|in))*"
_UNLESS = re.compile(
    r"\b(?:not|never|without|leave|leaves|except|besides|independent(?:ly)?|unrelated|instead|"
    r"unlike|ignore|apart|regardless|whatever)\b|n't\b",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[-_.]+")
_STOPS = re.compile(r"[.!?;\n]")


@dataclass(frozen=True)
class Reference:
    """`evidence`, and the task that it says goes first."""

    first: str
    evidence: GateEvidence


def references(
    work: PlannedTask,
    texts: Texts,
    other: PlannedTask,
    others: Texts,
    known: Known,
    *,
    files: Known,
) -> Iterator[Reference]:
    """Yield where the text of `work` speaks of the task `other`, or of what that makes.

    `known` tells of names in code, `files` of base names, whether the tree has exactly one such
    file. Naming a task, or what only that task makes, couples; naming a file that it changes does
    not yet, for much of a file stays as it is.
    """
    if (said := _names_task(texts, other.id)) is not None:
        verdict = PairVerdict.MAYBE if said else PairVerdict.COUPLED
        words = f"the text of `{work.id}` names the task `{other.id}`"
        yield _reference(other.id, words, verdict=verdict)
    yield from _files(work, texts, other, files)
    made = others.introduced & (texts.names - texts.introduced)
    fresh = sorted(name for name in made if not known(name))
    if fresh:
        words = f"the text of `{work.id}` uses {listed(fresh)}, which `{other.id}` is to introduce"
        yield _reference(other.id, words, verdict=PairVerdict.COUPLED)


def common_names(
    work: PlannedTask,
    texts: Texts,
    other: PlannedTask,
    others: Texts,
    known: Known,
    *,
    files: Known,
) -> Iterator[GateEvidence]:
    """Yield what both tasks are to introduce, and which files both speak of and do not declare."""
    both = sorted(name for name in texts.introduced & others.introduced if not known(name))
    if both:
        yield _evidence(
            f"`{work.id}` and `{other.id}` are both to introduce {listed(both)}",
            verdict=PairVerdict.COUPLED,
        )
    named = {path for path in texts.paths & others.paths if files(path)}
    spoken = sorted(named - work.declared.named - other.declared.named)
    if spoken:
        words = f"the texts of `{work.id}` and `{other.id}` both speak of {listed(spoken)}"
        yield _evidence(words, tuple(spoken), verdict=PairVerdict.MAYBE)


def _files(
    work: PlannedTask, texts: Texts, other: PlannedTask, files: Known
) -> Iterator[Reference]:
    own = work.declared
    new = _mentioned(other.declared.new - own.new, texts.paths, files)
    if new:
        words = f"the text of `{work.id}` names {listed(new)}, which `{other.id}` is to create"
        yield _reference(other.id, words, tuple(new), verdict=PairVerdict.COUPLED)
    changed = _mentioned(other.declared.exact - own.matched, texts.paths, files)
    if changed:
        words = f"the text of `{work.id}` names {listed(changed)}, which `{other.id}` writes"
        yield _reference(other.id, words, tuple(changed), verdict=PairVerdict.MAYBE)


def _mentioned(paths: frozenset[str], said: frozenset[str], files: Known) -> list[str]:
    """Return those of the paths that are said in full, or by a base name that no other file has."""

    def by_base_name(path: str) -> bool:
        _, slash, base = path.rpartition("/")
        return bool(slash) and base in said and files(base)

    return sorted(path for path in paths if path in said or by_base_name(path))


def _names_task(texts: Texts, task: str) -> bool | None:
    """Return whether the only mentions of a task in a text set it apart; None for no mention."""
    if any(word not in texts.lower for word in _WORDS.split(task)):
        return None  # nearly all pairs: the pattern below is slow
    text = texts.whole
    found = [
        _UNLESS.search(_STOPS.split(text[max(0, one.start() - 60) : one.start()])[-1]) is not None
        for one in _mention(task).finditer(text)
        if _is_name(one, task)
    ]
    return all(found) if found else None


def _is_name(found: re.Match[str], task: str) -> bool:
    """Return whether a match is the id, and not the article in "this task a client is …"."""
    name = found[found.lastgroup or 0]
    if len(task) > 2:
        return True
    return name != name.lower() or not re.match(r"\s+\w", found.string[found.end() :])


@lru_cache(maxsize=512)
def _mention(task: str) -> re.Pattern[str]:
    """Return the pattern of what names a task.

    "task ID" does, and an id of several words by itself; a single word needs words such as "after
    the" before it, for it is one of the language as well.
    """
    words = [re.escape(word) for word in _WORDS.split(task) if word]
    loose = r"[\s_.-]+".join(words)
    ends = r"(?![\w/-]|\.\w)"
    ways = [rf"\btasks?\s+[`\"']?(?P<a>{loose})[`\"']?{ends}"]
    if len(words) > 1:
        ways += [rf"(?<![\w/.-])(?P<b>{re.escape(task)}){ends}"]
        ways += [rf"\b{_WITH}{_FILLER}\s+[`\"']?(?P<c>{loose}){ends}"]
    elif len(task) > 3:
        ways += [rf"\b{_ON}{_FILLER}\s+[`\"']?(?P<d>{loose}){ends}"]
        ways += [rf"(?<![\w/.-])[`\"'](?P<e>{loose})[`\"']\s+task\b"]
    return re.compile("|".join(ways), re.IGNORECASE)


def _evidence(words: str, paths: tuple[str, ...] = (), *, verdict: PairVerdict) -> GateEvidence:
    return GateEvidence(EvidenceKind.REFERENCE, words, paths, demands=verdict)


def _reference(
    first: str, words: str, paths: tuple[str, ...] = (), *, verdict: PairVerdict
) -> Reference:
    return Reference(first, _evidence(words, paths, verdict=verdict))
