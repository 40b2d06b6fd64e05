"""Compares an agent's wording of a handoff with the draft: no fact may change."""

import re
from collections.abc import Iterable, Iterator

from abreast.handoff.page import TITLE, Section, header_line, sections
from abreast.model.economy import count_tokens
from abreast.model.handoff import Handoff

_SPAN = re.compile(r"(`+)(.+?)\1")
_COMMIT = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b")
_PATH = re.compile(
    r"(?<![\w.])(?:[\w.@~-]*/[\w.@/-]*\w|[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,5})(?!\w)"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
# A command in plain words. Nothing else that a program may be told reads like one for sure.
_COMMAND = re.compile(
    r"\b(?:git|gh|npm|pnpm|yarn|pip|uv|poetry|cargo|go|make|docker|kubectl|terraform|abreast) +"
    r"(?:push|pull|commit|reset|rebase|merge|checkout|switch|clean|stash|add|rm|restore|revert|init"
    r"|install|uninstall|run|test|build|apply|deploy|publish|delete|destroy|exec|land|resume)\b"
)
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
# That something has come to a good end, without naming the command that shows it.
_CLAIM = re.compile(
    r"\b(?:is|are|was|were|been|now|already|successfully|all) +(?:(?!not\b|never\b|to\b)\w+ +)?"
    r"(?:fixed|resolved|solved|merged|pushed|landed|deployed|released|completed?|finished)\b"
    r"|\b(?:tests|checks|suite|everything) +(?:(?:now|all|still) +)*(?:pass(?:es|ed)?|succeed)\b",
    re.IGNORECASE,
)
_WANTED = re.compile(r"\b(?:make|until|so that|should|must|when|once|if|whether)\b", re.IGNORECASE)
_FACTS = {
    "commit": _COMMIT,
    "path": _PATH,
    "number": _NUMBER,
    "command": _COMMAND,
    "option": _OPTION,
}
# Not `pass` itself: that a command is to pass is no outcome.
_OUTCOMES = {
    "passed": re.compile(r"\bpass(?:es|ed|ing)\b|\bsucce\w+|\bgreen\b|\bexit 0\b", re.IGNORECASE),
    "failed": re.compile(
        r"\bfail\w*|\bbroke\w*|\brefused\b|\bexit [1-9]\d*\b|\bstopped\b", re.IGNORECASE
    ),
}

QUESTION = """\
Below is a handoff: notes for whoever continues a task. Reword it so that it reads well and states \
the most important facts first. Keep the four headings ({headings}) unchanged and in this order, \
each as `## HEADING`. Add no fact that is not in the notes. Copy commit ids, paths, commands, \
numbers and outcomes exactly, with commands in backticks. Leave out what does not matter. Your \
answer must start with the first heading and contain nothing but the reworded text.

{fenced}"""


def question(fenced: str) -> str:
    """Return what an agent is asked, with the draft as fenced data."""
    return QUESTION.format(headings=", ".join(Section), fenced=fenced)


def body(draft: Handoff) -> str:
    """Return the part that an agent rewords: all but title and header."""
    return draft.text[draft.text.index("## ") :]


def problems(draft: Handoff, said: str, limit: int) -> list[str]:
    """Return what is wrong with an agent's wording; empty when it may be used."""
    if list(sections(said)) != list(Section) or not said.lstrip().startswith("## "):
        return ["it does not have the four headings"]
    if any(not lines for lines in sections(said).values()):
        return ["it leaves a section empty"]
    size = count_tokens(assemble(draft, said))
    if size > limit:
        return [f"it takes {size} tokens instead of {limit}"]
    return list(_strange(body(draft), said))


def assemble(draft: Handoff, said: str) -> str:
    """Return an agent's wording as a whole file, under the draft's own header."""
    return f"{TITLE}\n\n{header_line(draft.header)}\n\n{said.strip()}\n"


def _strange(draft: str, said: str) -> Iterator[str]:
    """Yield every fact in `said` that the draft does not have."""
    spans = {found[2].strip() for found in _SPAN.finditer(draft)}
    for span in _new(_spans(said), spans):
        yield f"`{span}` is not in the draft"
    plain = _SPAN.sub(" ", said)
    for what, pattern in _FACTS.items():
        for fact in _new(pattern.findall(plain), pattern.findall(draft)):
            yield f"the {what} {fact} is not in the draft"
    yield from _claimed(draft, plain)
    yield from _turned(draft, said)


def _claimed(draft: str, plain: str) -> Iterator[str]:
    """Yield what is said to have come to a good end, and is not in the draft."""
    for sentence in re.split(r"(?<=[.;!?])\s|\n", plain):
        if not _WANTED.search(sentence):
            for claim in _new(_CLAIM.findall(sentence.lower()), _CLAIM.findall(draft.lower())):
                yield f'that "{claim}" is not in the draft'


def _turned(draft: str, said: str) -> Iterator[str]:
    """Yield the commands that are said to have ended otherwise than in the draft."""
    for line in said.splitlines():
        for span in _spans(line):
            known = " ".join(one for one in draft.splitlines() if span in one)
            for word, pattern in _OUTCOMES.items():
                if pattern.search(_SPAN.sub(" ", line)) and not pattern.search(known):
                    yield f"that `{span}` {word} is not in the draft"


def _spans(text: str) -> list[str]:
    return [found[2].strip() for found in _SPAN.finditer(text)]


def _new(found: Iterable[str], known: Iterable[str]) -> list[str]:
    there = set(known)
    return [one for one in dict.fromkeys(found) if one not in there]
