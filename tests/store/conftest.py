"""A store on both databases, with a clock that the test moves."""

import pytest

from abreast.store.reader import Reader
from abreast.store.writer import Store


class Clock:
    def __init__(self):
        self.now = 5000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(database, clock):
    return Store(database, clock)


@pytest.fixture
def reader(database_url, store):
    return Reader(database_url)
