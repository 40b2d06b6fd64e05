"""The one-sentence test: a task that one sentence cannot name may be more than one task."""

import re
from collections.abc import Iterator

from abreast.gate.planned import PlannedTask
from abreast.model.gate import EvidenceKind, GateEvidence

# A capital or a quote after the stop, so that "e.g. this" is still one sentence. Chinese and
# Japanese have stops of their own, and no space behind them.
_TWO = re.compile(r"[.!?]\s+[A-Z`\"']|[\u3002\uff01\uff1f]\s*\S")
_LEAD = re.compile(r"^[\s#>*-]+")


def sentence_notes(work: PlannedTask) -> Iterator[GateEvidence]:
    """Yield what is wrong with the sentence that says what a task produces."""
    sentence, task = work.task.produces.strip(), work.id
    if not sentence:
        yield _note(f"`{task}` does not say what it produces")
    elif _is_first_line(sentence, work.task.prompt):
        yield _note(f"`{task}` does not say what it produces: there is only its prompt")
    elif _TWO.search(sentence):
        yield _note(f"what `{task}` produces takes more than one sentence")


def _is_first_line(sentence: str, prompt: str) -> bool:
    """Return whether a sentence is merely where the prompt begins, perhaps cut off."""
    lines = (_LEAD.sub("", line).strip() for line in prompt[:4000].splitlines())
    first = " ".join(next((line for line in lines if line), "").split())
    return bool(first) and (first == sentence or first.startswith(sentence.rstrip("…") + " "))


def _note(words: str) -> GateEvidence:
    return GateEvidence(EvidenceKind.SENTENCE, words)
