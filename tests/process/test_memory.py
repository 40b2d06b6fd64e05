"""How a machine stands for memory is read from files of the kernel's form."""

from pathlib import Path

import psutil
import pytest

from abreast.process.memory import VARIABLE, Memory, Strain, read_memory

GIB = 2**30


def test_this_machines_memory_is_read() -> None:
    found, known = read_memory({}), psutil.virtual_memory()
    assert found.total == known.total
    assert 0 < found.available <= found.total
    assert 0 <= found.stalled <= 100


def write(folder: Path, available: int, pressure: str | None) -> dict[str, str]:
    meminfo = f"MemTotal: {16 * 2**20} kB\nMemFree: 1 kB\nMemAvailable: {available // 1024} kB\n"
    (folder / "meminfo").write_text(meminfo)
    if pressure is not None:
        (folder / "pressure").mkdir()
        (folder / "pressure/memory").write_text(pressure)
    return {VARIABLE: str(folder)}


def psi(full: float) -> str:
    rest = "avg60=0.00 avg300=0.00 total=0"
    return f"some avg10=90.00 {rest}\nfull avg10={full:.2f} {rest}\n"


@pytest.mark.parametrize(
    ("available", "pressure", "strain"),
    [
        (8 * GIB, psi(0.0), Strain.NONE),
        (8 * GIB, None, Strain.NONE),
        (8 * GIB, "nothing of this form\n", Strain.NONE),
        (8 * GIB, psi(6.0), Strain.TIGHT),
        (8 * GIB, psi(12.0), Strain.SHORT),
        (GIB - 2**20, psi(0.0), Strain.TIGHT),
        (GIB // 2 - 2**20, psi(0.0), Strain.SHORT),
        (GIB // 2 - 2**20, None, Strain.SHORT),
    ],
)
def test_strain_is_what_is_free_or_who_waits(
    tmp_path: Path, available: int, pressure: str | None, strain: Strain
) -> None:
    assert read_memory(write(tmp_path, available, pressure)).strain is strain


def test_a_small_machine_needs_less() -> None:
    assert Memory(GIB, 200 * 2**20).strain is Strain.NONE


def test_where_there_are_no_such_files_the_system_is_asked(tmp_path: Path) -> None:
    assert read_memory({VARIABLE: str(tmp_path)}).total == psutil.virtual_memory().total


def test_what_is_short_is_said_in_words() -> None:
    assert str(Memory(16 * GIB, GIB, 12.4)) == (
        "1.0 of 16.0 GiB are free, and processes wait for it 12 % of the time"
    )
