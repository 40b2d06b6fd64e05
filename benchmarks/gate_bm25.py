"""BM25 over files, as a plain index of a repository would have it, kept up to date at each commit.

One document a file: the words of its path, three times, and of the subjects of the changes that
touched it. k1 is 1.2, b 0.75.
"""

import math
from collections import Counter
from collections.abc import Iterable

from abreast.gate.terms import terms
from abreast.model.history import Change, ChangeKind

_K1, _B, _PATH = 1.2, 0.75, 3


class Bm25:
    def __init__(self, tree: Iterable[str]) -> None:
        self.documents: dict[str, Counter[str]] = {}
        self.where: dict[str, set[str]] = {}
        self.length = 0
        for path in tree:
            self._count(path, terms(path) * _PATH)

    def add(self, change: Change) -> None:
        words = terms(change.subject)
        for file in change.files:
            if file.kind is ChangeKind.DELETED:
                self._drop(file.path)
            else:
                new = [] if file.path in self.documents else terms(file.path) * _PATH
                self._count(file.path, new + words)

    def add_words(self, subject: str, paths: Iterable[str]) -> None:
        for path in paths:
            self._count(path, terms(subject))

    def rank(self, text: str, limit: int = 10) -> list[str]:
        scores: dict[str, float] = {}
        count = len(self.documents)
        average = self.length / max(1, count)
        for word in set(terms(text)):
            found = self.where.get(word, set())
            weight = math.log(1 + (count - len(found) + 0.5) / (len(found) + 0.5))
            for path in found:
                document = self.documents[path]
                times = document[word]
                size = 1 - _B + _B * document.total() / average
                scores[path] = scores.get(path, 0.0) + weight * times * (_K1 + 1) / (
                    times + _K1 * size
                )
        return sorted(scores, key=lambda path: (-scores[path], path))[:limit]

    def _count(self, path: str, words: list[str]) -> None:
        self.documents.setdefault(path, Counter()).update(words)
        self.length += len(words)
        for word in words:
            self.where.setdefault(word, set()).add(path)

    def _drop(self, path: str) -> None:
        document = self.documents.pop(path, Counter())
        self.length -= document.total()
        for word in document:
            self.where[word].discard(path)
