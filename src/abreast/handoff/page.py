"""The file itself: its lines, its header, its four sections, and how it fits its size limit."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from urllib.parse import quote, unquote

from abreast.handoff.masking import mask
from abreast.model.economy import count_tokens
from abreast.model.handoff import Handoff, Header
from abreast.model.text import code_spans, harmless


class Section(StrEnum):
    """The four sections, in their order."""

    RIGHT_NOW = "Right now"
    WHY = "Why"
    NEXT_STEP = "Next step"
    CONTEXT = "Context when I return"


@dataclass(frozen=True)
class Line:
    """A line of rank 0 always stays; among the others the lowest ranks are the most important."""

    section: Section
    text: str
    rank: int = 0


class Pen:
    """Writes texts for lines: on one line, bounded, and without secrets."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        self._mask = partial(mask, known=secrets)

    def words(self, text: str, most: int = 200, *, end: int = 0) -> str:
        """Return `text` folded to one line of at most `most` characters.

        The last of them are the last `end` of the text: below what is pasted stands what is asked.
        """
        folded = " ".join(self._mask(harmless(text)).split())
        if len(folded) <= most:
            return folded
        tail = folded[-end:] if end else ""
        tail = tail.partition(" ")[2] or tail  # from a whole word on, where words have spaces
        return f"{folded[: most - 2 - len(tail)].rstrip()}… {tail}".rstrip()

    def code(self, text: str, most: int = 110) -> str:
        """Return `text` as a span of code, whatever is in it."""
        words = self.words(text, most)
        ticks = "`" * (max(map(len, re.findall("`+", words)), default=0) + 1)
        pad = " " if words.startswith("`") or words.endswith("`") else ""
        return f"{ticks}{pad}{words}{pad}{ticks}"


_SHORTEST = 24  # characters to which a line that has to stay may be cut


def fit(
    lines: Sequence[Line], limit: int, size: Callable[[Sequence[Line], int], int]
) -> tuple[list[Line], int]:
    """Return the lines that fit into `limit`, in their order, and how many were left out.

    `size` tells how large some of the lines are together with the note on how many were left out.
    Those of rank 0 stay; of the others as many of the most decisive as fit, earlier ones first
    where they are as decisive as each other. When not even those of rank 0 fit, they are cut.
    """
    order = sorted(range(len(lines)), key=lambda index: lines[index].rank)
    staying = sum(not line.rank for line in lines)
    for count in range(len(lines), staying - 1, -1):
        kept = [lines[index] for index in sorted(order[:count])]
        if size(kept, len(lines) - count) <= limit:
            return kept, len(lines) - count
    kept = [line for line in lines if not line.rank]
    return _cut(kept, len(lines) - staying, limit, size), len(lines) - staying


def _cut(
    lines: Sequence[Line], left_out: int, limit: int, size: Callable[[Sequence[Line], int], int]
) -> list[Line]:
    """Return the lines, each cut at the most characters at which all of them fit, if any do."""
    low, high = _SHORTEST, max((len(line.text) for line in lines), default=_SHORTEST)
    while low < high:
        middle = (low + high + 1) // 2
        if size([_short(line, middle) for line in lines], left_out) <= limit:
            low = middle
        else:
            high = middle - 1
    return [_short(line, low) for line in lines]


def _short(line: Line, most: int) -> Line:
    if len(line.text) <= most:
        return line
    return Line(line.section, line.text[: most - 1].rstrip() + "…", line.rank)


TITLE = "# Current work"
_MARK = "> abreast handoff 1:"
_SAFE = "/:@+-_.~"
_RAW = "surrogateescape"  # git's names need not be UTF-8
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


def write(header: Header, lines: Sequence[Line], left_out: int = 0) -> str:
    """Return the whole text."""
    parts = [TITLE, header_line(header)]
    for section in Section:
        found = [line.text for line in lines if line.section is section]
        if section is not Section.RIGHT_NOW:  # that is always a line, which begins in our words
            found = [f"- {text}" for text in found]
        if section is Section.CONTEXT:
            found += _note(left_out)
        parts.append("\n".join([f"## {section}", *(found or ["- nothing on record"])]))
    return "\n\n".join(parts) + "\n"


def _note(left_out: int) -> list[str]:
    if not left_out:
        return []
    noun = "line" if left_out == 1 else "lines"
    return [f"- ({left_out} less decisive {noun} left out; `--tokens` makes room)"]


def header_line(header: Header) -> str:
    """Return the header as one line that a person can read and a program can parse."""
    at = datetime.fromtimestamp(header.at, UTC).strftime(_STAMP)
    fields = {
        "agent": header.agent,
        "session": header.session,
        "of": header.of,
        "branch": header.branch,
        "commit": header.commit,
        "work": header.work,
        "at": at,
    }
    told = (
        f"{key}={quote(value, safe=_SAFE, errors=_RAW)}" for key, value in fields.items() if value
    )
    return " ".join([_MARK, *told])


def read_header(text: str) -> Header | None:
    """Return the header of a handoff that abreast wrote, None when `text` is none."""
    found = re.search(rf"^{re.escape(_MARK)} (.+)$", text[:4000], re.MULTILINE)
    if not found or not text.lstrip("\ufeff \n").startswith(TITLE):
        return None
    pairs = (word.partition("=") for word in found[1].split())
    fields = {key: unquote(value, errors=_RAW) for key, _, value in pairs}
    try:
        at = datetime.strptime(fields.get("at", ""), _STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
    return _header(fields, at)


def _header(fields: Mapping[str, str], at: float) -> Header:
    names = ("agent", "session", "commit", "branch", "work", "of")
    return Header(at=at, **{name: fields.get(name, "") for name in names})


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines under each heading of second rank, in the order in which they stand."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            current = found.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line)
    return found


_COMMIT = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b")
_PATH = re.compile(
    r"(?:(?<![\w.@~/-])[\w.@~-]*/[\w.@/-]*\w|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[A-Za-z]\w{0,5})(?!\w)"
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
    for span in _new(_spans(said), _spans(draft)):
        yield f"`{span}` is not in the draft"
    plain = _without_spans(said)
    for what, pattern in _FACTS.items():
        for fact in _new(pattern.findall(plain), pattern.findall(draft)):
            yield f"the {what} {fact} is not in the draft"
    yield from _claimed(draft, plain)
    yield from _turned(draft, said)


def _claimed(draft: str, plain: str) -> Iterator[str]:
    """Yield what is said to have come to a good end, and is not in the draft."""
    known = _CLAIM.findall(draft.lower())
    for sentence in re.split(r"(?<=[.;!?])\s|\n", plain):
        if not _WANTED.search(sentence):
            for claim in _new(_CLAIM.findall(sentence.lower()), known):
                yield f'that "{claim}" is not in the draft'


def _turned(draft: str, said: str) -> Iterator[str]:
    """Yield the commands that are said to have ended otherwise than in the draft."""
    for line in said.splitlines():
        for span in _spans(line):
            known = " ".join(one for one in draft.splitlines() if span in one)
            for word, pattern in _OUTCOMES.items():
                if pattern.search(_without_spans(line)) and not pattern.search(known):
                    yield f"that `{span}` {word} is not in the draft"


def _spans(text: str) -> list[str]:
    lines = text.split("\n")
    fences = ["`"] if any(line.lstrip().startswith("```") for line in lines) else []
    return fences + [code.strip() for line in lines for _, _, code in code_spans(line)]


def _without_spans(text: str) -> str:
    return "\n".join(map(_plain, text.split("\n")))


def _plain(line: str) -> str:
    kept, at = [], 0
    for start, end, _ in code_spans(line):
        kept.append(line[at:start])
        at = end
    return " ".join([*kept, line[at:]])


def _new(found: Iterable[str], known: Iterable[str]) -> list[str]:
    there = set(known)
    return [one for one in dict.fromkeys(found) if one not in there]
