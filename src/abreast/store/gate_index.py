"""A full-text index of a repository: which paths and which past changes a task's words fit.

It is told words, and looks for the same ones: what counts as a word is the gate's to say.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

BY_NAME, BY_ALL = (1.0, 0.0), (3.0, 1.0)
"""What the words of a path's name count, and those of the changes that touched it."""

_MOST_WORDS = 60  # of one question; the longest prompts say the same with other words
_AT_ONCE = 500  # parameters of one statement
_KNOWN = "SELECT id FROM subject_of WHERE id"
# The best are chosen before they are looked up: many match that are not wanted.
_FILES = (
    "SELECT path, score FROM (SELECT rowid AS found, -bm25(file_words, ?, ?) AS score"
    " FROM file_words WHERE file_words MATCH ? ORDER BY score DESC LIMIT ?)"
    " JOIN file ON number = found ORDER BY score DESC, found"
)
_USES = "SELECT doc FROM file_vocabulary WHERE term = ?"
_APPEND = (
    "UPDATE file_words SET subjects = subjects || ' ' || ?"
    " WHERE rowid = (SELECT number FROM file WHERE path = ?)"
)
_SUBJECTS = (
    "SELECT id, paths, score FROM (SELECT rowid AS found, -bm25(subject) AS score"
    " FROM subject WHERE subject MATCH ? ORDER BY score DESC LIMIT ?)"
    " JOIN subject_of ON number = found ORDER BY score DESC, found"
)


@dataclass(frozen=True, slots=True)
class IndexedChange:
    """A change as the index knows it; `score` is how well it fits, the higher the better."""

    id: str
    paths: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class GateIndex:
    """The index, in the file of the gate's cache (`abreast.store.gate_cache`)."""

    connection: sqlite3.Connection
    _uses: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Return those of these changes that are not in the index, in their order."""
        known: set[str] = set()
        for at in range(0, len(ids), _AT_ONCE):
            part = ids[at : at + _AT_ONCE]
            asked = f"{_KNOWN} IN ({','.join('?' * len(part))})"
            known.update(name for (name,) in self.connection.execute(asked, part))
        return [name for name in ids if name not in known]

    def add_changes(self, changes: Iterable[tuple[str, str, Mapping[str, str]]]) -> None:
        """Add changes: the id, the words of the subject, and the paths, with more words of each.

        The paths must be there already.
        """
        by_path: dict[str, list[str]] = {}
        self._uses.clear()
        with self.connection:
            for name, words, paths in changes:
                added = self.connection.execute(
                    "INSERT OR IGNORE INTO subject_of (id, paths) VALUES (?, ?)",
                    (name, msgspec.json.encode(list(paths))),
                )
                if added.rowcount:
                    row = (added.lastrowid, words)
                    self.connection.execute("INSERT INTO subject (rowid, words) VALUES (?, ?)", row)
                    for path, inside in paths.items():
                        by_path.setdefault(path, []).append(f"{words} {inside}")
            rows = [(" ".join(words), path) for path, words in by_path.items()]
            self.connection.executemany(_APPEND, rows)

    def set_paths(self, tree: str, paths: Iterable[str], words: Callable[[str], str]) -> None:
        """Make the index have just these paths; `words` gives those of the name of a new one.

        `tree` says whose paths they are: nothing is looked at when it was told the same last.
        """
        known_tree = self.connection.execute("SELECT tree FROM paths_of").fetchone()
        if tree and known_tree == (tree,):
            return
        with self.connection:
            self.connection.execute("BEGIN IMMEDIATE")
            wanted = set(paths)
            known = {path for (path,) in self.connection.execute("SELECT path FROM file")}
            self._drop(known - wanted)
            self._add({path: words(path) for path in sorted(wanted - known)})
            self.connection.execute("INSERT INTO paths_of VALUES (?)", (tree,))

    def add_paths(self, words: Mapping[str, str]) -> None:
        """Add paths that it does not have, each with the words of its name."""
        with self.connection:
            self._add(words)

    def drop_paths(self, paths: Iterable[str]) -> None:
        """Forget paths; those that it does not have are passed over."""
        with self.connection:
            self._drop(paths)

    def _add(self, words: Mapping[str, str]) -> None:
        self._uses.clear()
        self.connection.execute("DELETE FROM paths_of")
        for path, text in words.items():
            added = self.connection.execute("INSERT INTO file (path) VALUES (?)", (path,))
            row = (added.lastrowid, text)
            self.connection.execute(
                "INSERT INTO file_words (rowid, words, subjects) VALUES (?, ?, '')", row
            )

    def _drop(self, paths: Iterable[str]) -> None:
        self._uses.clear()
        self.connection.execute("DELETE FROM paths_of")
        for path in paths:
            row = self.connection.execute("SELECT number FROM file WHERE path = ?", (path,))
            if number := row.fetchone():
                self.connection.execute("DELETE FROM file_words WHERE rowid = ?", number)
                self.connection.execute("DELETE FROM file WHERE number = ?", number)

    def find_paths(
        self, words: Sequence[str], weights: tuple[float, float] = BY_ALL, limit: int = 200
    ) -> list[tuple[str, float]]:
        """Return the paths that these words fit best, with scores; `weights` say what counts."""
        if not (asked := _question(self._telling(_asked(words)))):
            return []
        return list(self.connection.execute(_FILES, (*weights, asked, limit)))

    def find_changes(self, words: Sequence[str], limit: int = 200) -> list[IndexedChange]:
        """Return the changes whose subjects these words fit best."""
        if not (asked := _question(_asked(words))):
            return []
        rows = self.connection.execute(_SUBJECTS, (asked, limit))
        reader = msgspec.json.Decoder(tuple[str, ...])
        return [IndexedChange(name, reader.decode(paths), score) for name, paths, score in rows]

    def _telling(self, words: Sequence[str]) -> Sequence[str]:
        """Return those of the words that less than half of the files have, or all of them.

        BM25 gives nothing for the others, and they take most of the time of a query.
        """
        if not self._uses:
            self._uses[""] = self.connection.execute("SELECT count(*) FROM file").fetchone()[0]
        for word in words:
            if word not in self._uses:
                row = self.connection.execute(_USES, (word,)).fetchone()
                self._uses[word] = row[0] if row else 0
        return [word for word in words if 2 * self._uses[word] <= self._uses[""]] or words


def _asked(words: Sequence[str]) -> Sequence[str]:
    """Return these words once each, the most frequent of them where there are many."""
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: -counts[word])[:_MOST_WORDS]


def _question(words: Sequence[str]) -> str:
    """Return a query for any of the words."""
    return " OR ".join('"' + word.replace('"', '""') + '"' for word in words)
