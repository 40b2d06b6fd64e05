"""What is opened while a test runs."""

from collections.abc import Iterator

import pytest

from tests.support.transcripts import watching


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Every file and folder that the test opens, as it was named."""
    with watching() as names:
        yield names
