"""Finds text that fits a schema without content: placeholders, references, lists in strings."""

import json
import re
from collections.abc import Iterator, Sequence

# Whole answers that models give to satisfy a schema without saying anything
# (anthropics/claude-code#77026), lower-case and without punctuation around them.
_PLACEHOLDERS = frozenset(
    {
        *("test", "todo", "tbd", "fixme", "placeholder", "string", "example", "foo", "bar", "baz"),
        *("lorem", "ipsum", "lorem ipsum", "null", "undefined", "to be determined", "n/a", "xxx"),
        *("answer", "your answer here", "answer here", "insert answer here", "insert text here"),
        *("your text here", "$parameter_value"),
    }
)
# Pointers to a text that the parent will never see (anthropics/claude-code#88580): a sentence in
# which there is nothing but talk of a report, and where it was.
_NOUNS = "report|list|summary|analysis|answer|findings?|results?|response|reply|output|table"
_TALK = re.compile(
    rf"(?:please|see|refer|to|check|read|as|per|in|of|a|the|my|this|our|i|ive|we|weve|have|has|had"
    rf"|been|is|are|was|were|it|its|all|already|full|complete|detailed|final|entire|whole|given|gave"
    rf"|provided|described|stated|reported|listed|shown|said|answered|delivered|wrote|written|{_NOUNS})"
)
_ELSEWHERE = re.compile(r"(?:above|earlier|before|previous|previously|preceding|attached)")
_PLACE = re.compile(rf"(?:message|messages|turn|turns|text|{_NOUNS})")
# What may follow: of what the text elsewhere is.
_ABOUT = re.compile(r"(?:for|with|contains?|covers?|includes?)")
_OVER = re.compile(r"(?:all |the |task |analysis |search |i am |im )*(?:done|complete|completed)")
# That there is nothing, without a word on what was looked for, or where.
_NOTHING = re.compile(
    r"(?:none|nothing|nil|empty|yes|true|not found|no (?:results?|matches|match|entries|items|files"
    r"|paths|findings|hits|uses?|occurrences))(?: (?:were |was )?(?:found|here|there))?"
)
_SENTENCE = re.compile(r"[.;:!?](?:\s|$)|\n\n")
_LONGEST_POINTER = 200  # characters
_MARKED = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)])\s+\S")  # a line that is an entry of a list
_FILE = re.compile(r"(?=\S*\Z)(?:\S*[^\W_]\.\w{1,8}|\S+/\S*)")  # what can be nothing but a path


def hollow(text: str, where: str) -> Iterator[str]:
    """Yield what is wrong with a text, the whole answer at `where`, that has no content."""
    if not text.strip():
        yield f"{where}: is blank"
    elif is_empty(text):
        yield f"{where}: {text.strip()[:40]!r} is a placeholder; give the real answer"
    elif _points(text):
        yield f"{where}: points to a text that is not part of the answer; give the text itself"
    elif text.lstrip().startswith(("[", "{")) and _is_json(text):
        yield f"{where}: holds JSON in a string; give the list or object itself"


def stuffed(text: str, where: str, *, path: bool) -> Iterator[str]:
    """Yield what is wrong with a list's entry (a `path` or not) that holds several items."""
    lines = [line for line in text.split("\n") if line.strip()]
    parts = [part.strip() for part in re.split(r"[,\n]", text)] if path else []
    marked = len(lines) > 1 and all(map(_MARKED.match, lines))
    if marked or (len(parts) > 1 and all(map(_FILE.fullmatch, parts))):
        yield f"{where}: holds a list in a string; make each item an entry of its own"


def says_only_nothing(text: str) -> bool:
    """Return whether a text says only that nothing was found, without what was searched."""
    return _NOTHING.fullmatch(_bare(text)) is not None


def is_placeholder(text: str) -> bool:
    """Return whether a text is a placeholder such as `todo`; in a longer list it may be a name."""
    return _bare(text) in _PLACEHOLDERS


def is_empty(text: str) -> bool:
    """Return whether a text is blank or a placeholder."""
    return not _bare(text) or is_placeholder(text)


def _bare(text: str) -> str:
    return text.strip().strip("\"'`*_<>[]() .!").lower()


def _points(text: str) -> bool:
    """Return whether all sentences of a short text, apart from "done", point elsewhere."""
    line = text[: 2 * _LONGEST_POINTER].strip()
    sentences = [_words(one) for one in _SENTENCE.split(line)]
    told = [one for one in sentences if one and not _OVER.fullmatch(" ".join(one))]
    return len(line) < _LONGEST_POINTER and bool(told) and all(map(_is_pointer, told))


def _words(sentence: str) -> list[str]:
    plain = sentence.lower().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    return [bare for word in plain.split() if (bare := word.strip('"`*_<>[](),.!'))]


def _is_pointer(words: Sequence[str]) -> bool:
    at = next((n for n, word in enumerate(words) if not _TALK.fullmatch(word)), len(words))
    if at == len(words) or not _ELSEWHERE.fullmatch(words[at]):
        return False
    rest = words[at + 1 :]
    if rest and _PLACE.fullmatch(rest[0]):
        rest = rest[1:]
    return not rest or _ABOUT.fullmatch(rest[0]) is not None


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False
