"""Text for people: foreign text made harmless, numbers and names in sentences, names of files."""

import json
import re
from collections.abc import Iterator, Sequence

# Patterns, which `re` compiles when one is first needed: most starts of abreast need none.
# Escape sequences (with the text of those that have one, such as titles and links), control
# characters but tab and line break, marks that reorder a line, spaces without width, and tags,
# which a model reads and a person cannot see. Joiners stay: some scripts cannot do without.
_ACTS = (
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-Z\\-~]"
    r"|[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
    r"|[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
# A bare return would let one line repaint another.
_BREAKS = "\r\n?|[\x0b\x0c\x85\u2028\u2029]"
_HALF = "[\\ud800-\\udfff]"  # a byte that is not a text, as in the name of a file
_UNSEEN = (  # what JSON need not escape, of the three above
    "[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f\\ud800-\\udfff]"
)
# What stays in texts and has no shape of its own: fillers and blanks, selectors beyond the one
# behind a character. A row of them can spell words that a model reads.
_SHAPELESS = (
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
    "|(?<=[\ufe00-\ufe0f\u200c\u200d])[\ufe00-\ufe0f\u200c\u200d]+"
)
_NAMES = 5  # shown of a list
_NAME = 60  # characters of one


def harmless(text: str) -> str:
    """Return `text` without characters that could repaint, reorder or hide what is shown.

    Every kind of line break becomes a plain one; what is no character at all becomes U+FFFD.
    """
    if text.isprintable():
        return text
    return whole_characters(re.sub(_BREAKS, "\n", re.sub(_ACTS, "", text)))


def shaped(text: str) -> str:
    """Return `text` without characters that nobody sees and that `harmless` leaves.

    Some scripts lose variants of their letters by it.
    """
    return re.sub(_SHAPELESS, "", text)


def code_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and content of each span of code: between rows of backticks of one length.

    So Markdown has it. A row that no other ends is text.
    """
    rows = [(found.start(), found.end()) for found in re.finditer("`+", text)]
    ends: dict[int, list[int]] = {}
    for number in range(len(rows) - 1, -1, -1):
        ends.setdefault(rows[number][1] - rows[number][0], []).append(number)
    number = 0
    while number < len(rows):
        start, begin = rows[number]
        later = ends[begin - start]
        while later and later[-1] <= number:
            later.pop()
        number += 1
        if later:
            last, end = rows[later[-1]]
            yield start, end, text[begin:last]
            number = later[-1] + 1


def whole_characters(text: str) -> str:
    """Return `text` with U+FFFD for whatever is no character: halves of a surrogate pair."""
    return re.sub(_HALF, "\ufffd", text)


def escaped(document: str) -> str:
    r"""Return a JSON document of the same value in which nothing acts or hides.

    What `harmless` takes from a text is written as `\uXXXX` here.
    """
    return re.sub(_UNSEEN, lambda found: json.dumps(found[0])[1:-1], document)


def one_line(text: str, most: int = 200) -> str:
    """Return `text` with its white space folded, cut at `most` characters."""
    if len(text) <= most and text.isprintable() and " " not in text:
        return text
    folded = " ".join(text[: 4 * most + 1000].replace("\0", "\N{REPLACEMENT CHARACTER}").split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def named(names: Sequence[str]) -> str:
    """Return names of files in quotes, on one line, the first few of them and each cut short."""
    rest = len(names) - _NAMES
    shown = ", ".join(map(_quoted, names[:_NAMES]))
    return f"{shown} and {rest} more" if rest > 0 else shown


def _quoted(name: str) -> str:
    return json.dumps(one_line(harmless(name), _NAME), ensure_ascii=False)


def counted(number: int, noun: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(tokens: int | None) -> str:
    """Return a number of tokens as people say it: 940, 3.1k, 42k, 1.2M, 5.0B; `-` when unknown."""
    if tokens is None:
        return "-"
    size = abs(tokens)
    sign = "-" if tokens < 0 else ""
    if size < 1000:
        return f"{sign}{size}"
    # The limits are those from which rounding would show one digit too many (9950 is `10k`).
    if size < 999_500:
        scaled, unit = size / 1e3, "k"
    elif size < 999_500_000:
        scaled, unit = size / 1e6, "M"
    else:
        scaled, unit = size / 1e9, "B"
    return f"{sign}{scaled:.1f}{unit}" if scaled < 9.95 else f"{sign}{scaled:.0f}{unit}"


def percent(share: float) -> str:
    """Return a share or probability (0-1) as `37 %`; a small rest is not rounded away."""
    if 0 < share < 0.005:
        return "under 1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{round(100 * share)} %"


def either(names: Sequence[str]) -> str:
    """Return `a`, `a or b`, `a, b or c`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


_READABLE = 40  # characters of the label that are shown
_DIGEST = 24  # hexadecimal digits: 96 bits, so no two values share them in practice


def unique_name(label: str, exact: str | bytes) -> str:
    """Return a file name that stands for `exact` alone; `label` makes it readable.

    Different values get different names, also where the file system ignores case or normalises
    Unicode: lower-case ASCII letters, digits and dashes, at most 65 of them. Surrogates stand for
    the bytes that Python read them from.
    """
    import hashlib  # which loads OpenSSL: no look at runs has to wait for it

    raw = exact.encode("utf-8", "surrogateescape") if isinstance(exact, str) else exact
    shown = re.sub(r"[^a-z0-9]+", "-", label.lower())[:_READABLE].strip("-")
    return f"{shown or 'x'}-{hashlib.sha256(raw).hexdigest()[:_DIGEST]}"
