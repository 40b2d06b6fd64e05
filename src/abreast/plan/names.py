"""Names made of prose: task ids that are safe everywhere, and commit subjects."""

import re
import unicodedata
from collections.abc import Sequence
from zlib import crc32

MAX_ID = 60
MAX_SUBJECT = 72
_SLUG_LENGTH = 32


def id_problem(task: str) -> str | None:
    """Say why `task` cannot name a branch, a file and a session everywhere; None if it can."""
    if not task:
        return "is empty"
    if len(task) > MAX_ID:
        return f"is longer than {MAX_ID} characters"
    odd = sorted(set(re.findall(r"[^a-z0-9._-]", task)))
    if odd:
        return f"may not contain {' '.join(ascii(character) for character in odd)}"
    if task[0] in "-.":
        return f"may not start with {task[0]!r}"
    for end in (".lock", "."):
        if task.endswith(end):
            return f"may not end with {end!r}"
    return "may not contain '..'" if ".." in task else None


def slug(text: str) -> str:
    """Return a task id made of the first words of `text`.

    Of a text without a Latin letter or a digit no word can stand in an id, which is also the name
    of a branch and a folder on any file system: `task-` and six digits that depend on it do.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    chosen = ""
    for word in re.findall(r"[a-z0-9]+", plain.replace("'", "")):
        longer = f"{chosen}-{word}" if chosen else word[:_SLUG_LENGTH]
        if len(longer) > _SLUG_LENGTH:
            break
        chosen = longer
    return chosen or f"task-{crc32(text.encode(errors='surrogatepass')) & 0xFFFFFF:06x}"


def unique_slugs(texts: Sequence[str]) -> list[str]:
    """Return a task id for each text; those that would be equal are numbered from the second on."""
    names: list[str] = []
    for text in texts:
        base = slug(text)
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names


def subject(prompt: str) -> str:
    """Return the first line of a prompt that says something, cut to the length of a subject."""
    lines = (re.sub(r"^[\s#>*-]+|\s+$", "", line) for line in prompt.splitlines())
    first = " ".join(next((line for line in lines if line), "").split())
    if len(first) <= MAX_SUBJECT:
        return first
    cut = first[: MAX_SUBJECT - 1]
    at_word = cut.rpartition(" ")[0] if first[MAX_SUBJECT - 1] != " " else cut
    return (at_word or cut).rstrip(" ,;:.-") + "…"
