"""A store on both databases, with a clock that the test moves."""

import pytest

from abreast.model.moment import Moment
from abreast.store.reader import Reader
from abreast.store.writer import Store


class Clock:
    """A clock whose tick counts one in ten of its seconds, to tell the two apart."""

    def __init__(self):
        self.now = 5000.0
        self._off = 0.0

    def __call__(self):
        return Moment(self.now + self._off, f"boot {self.now / 10:.3f}")

    def set(self, off):
        """Put the hands on by `off` seconds, as a person does."""
        self._off += off


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(database, clock):
    return Store(database, clock)


@pytest.fixture
def reader(database_url, store):
    return Reader(database_url)
