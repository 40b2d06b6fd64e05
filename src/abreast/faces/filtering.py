"""What a person types to see some rows alone: `csv s:failed a:codex r:shop`. Pure."""

from dataclasses import dataclass

from abreast.faces.rows import doing, name_of
from abreast.model.snapshot import Row, Snapshot

_KEYS = ("s", "a", "r")


@dataclass(frozen=True)
class RowWords:
    """Words that must all occur in what a row shows, in any case; and the starts of some names.

    Of `states` (a state, a landing or a group), `agents` and `repos` (a folder's name), each with
    at least one value must fit one of them.
    """

    words: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()

    def fits(self, row: Row) -> bool:
        session = row.session
        return (
            _begins((session.state, row.state, row.group.replace(" ", "-")), self.states)
            and _begins((session.agent.lower(),), self.agents)
            and _begins((row.repo.rstrip("/").rpartition("/")[2].lower(),), self.repos)
            and (not self.words or all(word in _text(row) for word in self.words))
        )

    def of(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with the rows that fit, and the runs that have any."""
        if self == RowWords():
            return snapshot
        return snapshot.with_rows(row for row in snapshot.rows if self.fits(row))


def parse_words(text: str) -> RowWords:
    """Return what is meant; a part with an unknown key, or without a value yet, is a word."""
    found: dict[str, list[str]] = {key: [] for key in ("", *_KEYS)}
    for part in text.lower().split():
        key, colon, value = part.partition(":")
        if colon and key in _KEYS:
            if value:  # else it is being typed
                found[key].append(value)
        else:
            found[""].append(part)
    return RowWords(*(tuple(found[key]) for key in ("", *_KEYS)))


def _begins(names: tuple[str, ...], starts: tuple[str, ...]) -> bool:
    return not starts or any(name.startswith(starts) for name in names)


def _text(row: Row) -> str:
    session = row.session
    return "\n".join(
        (session.id, name_of(session), row.sentence, doing(row), *session.files)
    ).lower()
