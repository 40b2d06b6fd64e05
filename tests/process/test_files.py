"""A file is replaced as a whole, or nothing has happened."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from abreast.process.files import load_json, write_atomic, write_json


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_atomic(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_threads_that_write_one_file_are_not_in_each_others_way(tmp_path: Path) -> None:
    file = tmp_path / "file.json"

    def write(number: int) -> None:
        write_json(file, [number] * 1000)
        assert len(set(load_json(file))) == 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(200)))
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]
