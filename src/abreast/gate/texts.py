"""What the texts of a task speak of: paths, names in code, names that it is to introduce."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from abreast.model.task import Task

MOST = 64_000
"""Characters of a prompt that are looked at: what comes after some thirty pages is quoted logs."""

_TOKEN = re.compile(r"[\w.@+/-]+")
_NAME = re.compile(
    r"(?P<option>(?<![\w-])--[a-z][\w-]*)"
    r"|(?P<camel>\b[A-Z]?[a-z0-9]+(?:[A-Z][a-z0-9]+)+\b|\b(?:[A-Z][a-z0-9]+){2,}\b)"
    r"|(?P<snake>\b_*[A-Za-z]\w*_\w+\b)"
    r"|`(?P<quoted>[\w.:-]{3,}?)(?:\(\))?`"
    r"|(?P<called>\b[a-z_]\w*)\(\)"
)
_KIND = (
    r"abstract|async|base|class|method|module|helper|function|option|flag|command|subcommand|"
    r"endpoint|table|column|field|type|dataclass|exception|error|decorator|constant|setting|"
    r"variable|package|component|hook|service|trait|struct|interface|enum|protocol|key|route"
)
_MAKES = re.compile(
    r"\b(?:add|adds|introduce|introduces|create|creates|implement|implements|define|defines|"
    r"provide|provides|expose|exposes|write|new)\s+"
    rf"(?:(?:an?|the|its|our|new|public|small|simple|pure|own|called|named|cli|{_KIND})\s+){{0,4}}"
    r"(?P<name>`[^`\n]{3,60}`|--[a-z][\w-]*|[A-Za-z_][\w.]*(?:\(\))?)"
    r"(?P<next>\s*(?:[.,;:!?)]|$)|\s+[\w`-]+)",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT = re.compile(r"(?:the\s+)?(?:new\s+)?(`[^`\n]{3,60}`)", re.IGNORECASE)
_ENDS_NAME = re.compile(
    rf"\s*(?:[.,;:!?)]|$)|\s+(?:to|in|for|that|which|and|or|with|so|on|from|as|into|of|when|behind|"
    rf"under|at|by|whose|returning|taking|using|{_KIND})$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Texts:
    """The sentence and the prompt of a task, and what they speak of."""

    sentence: str
    prompt: str

    @classmethod
    def of(cls, task: Task) -> "Texts":
        return cls(task.produces[:MOST], task.prompt[:MOST])

    @cached_property
    def whole(self) -> str:
        return f"{self.sentence}\n{self.prompt}"

    @cached_property
    def lower(self) -> str:
        return self.whole.lower()

    @cached_property
    def paths(self) -> frozenset[str]:
        """Everything that looks like a path or the name of a file."""
        found = (one[0].rstrip("./").removeprefix("./") for one in _TOKEN.finditer(self.whole))
        return frozenset(path for path in found if "/" in path or "." in path)

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in code that it uses: options, CamelCase, snake_case, what is in backticks."""
        return frozenset(next(filter(None, one.groups())) for one in _NAME.finditer(self.whole))

    @cached_property
    def introduced(self) -> frozenset[str]:
        """Those of the names that it is to make, as far as its grammar tells."""
        made = set()
        for found in _MAKES.finditer(self.whole):
            quoted = found["name"].startswith("`")
            if quoted or _ENDS_NAME.match(found["next"]):
                made |= _inside(found["name"])
        # "`report --csv` writes the report": the subject is what is to be there.
        if subject := _SUBJECT.match(self.sentence):
            made |= _inside(subject[1])
        return frozenset(made) & self.names


def names_at_issue(texts: Iterable[Texts]) -> frozenset[str]:
    """Return the names that one task is to introduce and another one speaks of as well.

    Of all others it does not matter whether they are in the tree already.
    """
    every = list(texts)
    counts = Counter(name for one in every for name in one.names)
    introduced = frozenset[str]().union(*(one.introduced for one in every))
    return frozenset(name for name in introduced if counts[name] > 1)


def _inside(text: str) -> set[str]:
    return {next(filter(None, one.groups())) for one in _NAME.finditer(text)}
