"""A line of commits as somebody made it: who wrote each, and what its message ends with."""

from dataclasses import dataclass

from abreast.git.call import UTF8, split
from abreast.git.repository import Repository


@dataclass(frozen=True)
class OwnCommit:
    """A commit with one parent. `author` are the variables that give another one its author."""

    id: str
    parent: str
    message: str
    author: dict[str, str]


_FIELDS = ("%H", "%P", "%an", "%ae", "%ad", "%B")


def own_commits(repo: Repository, base: str, line: str) -> list[OwnCommit]:
    """Return what `line` (a commit) has beyond `base`, oldest first; merges are left out."""
    shape = f"--format={'%x00'.join(_FIELDS)}%x00"
    asked = ("--topo-order", "--reverse", "--no-merges", "--date=raw", line, f"^{base}")
    words = split(repo.call("log", "-z", shape, *asked, config=UTF8).stdout)
    # Each record ends with one more NUL, of `-z`.
    records = [words[at : at + len(_FIELDS)] for at in range(0, len(words), len(_FIELDS) + 1)]
    return [
        OwnCommit(
            number,
            parents.split()[0],
            message,
            {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email, "GIT_AUTHOR_DATE": f"@{date}"},
        )
        for number, parents, name, email, date, message in records
        if parents
    ]


def own_trailers(repo: Repository, base: str, line: str) -> list[tuple[str, str]]:
    """Return the trailers of what `line` has beyond `base`, oldest first, without abreast's own."""
    shape = "--format=%(trailers:only,unfold)"
    asked = ("--topo-order", "--reverse", line, f"^{base}")
    lines = repo.call("log", shape, *asked, config=UTF8).stdout.splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    found = [(key.strip(), value.strip()) for key, _, value in pairs]
    return [(key, value) for key, value in found if not key.lower().startswith("abreast-")]
