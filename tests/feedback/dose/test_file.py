"""The file of doses: whole lines come back, the last write may be torn, and one run has it at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from onscope.runtime import RecordError
from onscope.runtime.feedback.dose import DoseBook, Pattern, Square


def shine(book: DoseBook, x: float = 0.0, dose: float = 1.0) -> None:
    book.book(book.after((Square(x, 0.0, 100.0, dose),)))


def doses(book: DoseBook) -> Any:
    return [values.tolist() for values in book.cells()], book.joules


def test_doses_come_back(tmp_path: Path) -> None:
    lit = np.random.default_rng(0).random((30, 50)) > 0.5
    with DoseBook(tmp_path / "doses") as book:
        for index in range(50):
            shine(book, 37.0 * index, 0.1 * index)
        book.book(book.after((Pattern(lit, 3.3, -40.0, 7.0, 0.3),)))
        kept = doses(book)
    with DoseBook(tmp_path / "doses") as book:
        assert doses(book) == kept
        book.compact()
        shine(book)
        more = doses(book)
    with DoseBook(tmp_path / "doses") as book:
        assert doses(book) == more
        assert book.torn == 0


def test_writing_anew_takes_away_what_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "doses"
    with DoseBook(path) as book:
        for _ in range(2000):
            shine(book)
        grown = path.stat().st_size
        book.compact()
        assert path.stat().st_size < grown / 5
        assert not (tmp_path / "doses.part").exists()
        assert book.field(0.0, 0.0) == pytest.approx(2000.0)


def test_a_file_that_has_grown_is_written_anew_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onscope.runtime.feedback.dose._file.GROWN_BYTES", 20_000)
    path, count = tmp_path / "doses", 0
    with DoseBook(path, sync_s=0.01) as book:
        most = 0
        while path.stat().st_size >= most:  # until it shrinks
            most = path.stat().st_size
            shine(book)
            count += 1
        assert not book.trouble
    with DoseBook(path) as book:
        assert book.field(0.0, 0.0) == pytest.approx(count)


def test_a_file_cut_anywhere_has_all_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "doses"
    sizes = []
    with DoseBook(path) as book:
        sizes.append(path.stat().st_size)
        for _ in range(4):
            shine(book)
            sizes.append(path.stat().st_size)
    whole = path.read_bytes()
    for cut in range(sizes[0], len(whole)):
        path.write_bytes(whole[:cut])
        lines = sum(size <= cut for size in sizes) - 1
        with DoseBook(path) as book:
            assert book.field(0.0, 0.0) == lines
            assert book.torn == cut - sizes[lines]
            shine(book)  # what is written next stands on a line of its own
        with DoseBook(path) as book:
            assert book.field(0.0, 0.0) == lines + 1
            assert book.torn == 0


@pytest.mark.parametrize("tail", [b"\0" * 100, b"\0" * 5000 + b"\n", b"00000000 {}\n", b"garbage\n\xff\n"])
def test_what_a_loss_of_power_leaves_at_the_end_is_cut_off(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "doses"
    with DoseBook(path) as book:
        shine(book)
    path.write_bytes(path.read_bytes() + tail)
    with DoseBook(path) as book:
        assert book.field(0.0, 0.0) == 1.0
        assert book.torn == len(tail)


def test_damage_in_the_middle_is_no_torn_end(tmp_path: Path) -> None:
    path = tmp_path / "doses"
    with DoseBook(path) as book:
        for _ in range(3):
            shine(book)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"1.0", b"0.0")
    path.write_bytes(b"".join(lines))
    before = path.read_bytes()
    with pytest.raises(RecordError, match=r"found line 3 of .* damaged"):
        DoseBook(path)
    assert path.read_bytes() == before
    with pytest.raises(RecordError, match="damaged"):  # and the lock is free again
        DoseBook(path)


@pytest.mark.parametrize("content", [b"hello\n", b'{"a": 1}\n', b"\x89PNG"])
def test_other_files_are_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "doses"
    path.write_bytes(content)
    with pytest.raises(RecordError, match="choose another file"):
        DoseBook(path)
    assert path.read_bytes() == content


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "doses"
    with DoseBook(path) as book:
        shine(book)
        code = f"from onscope.runtime.feedback.dose import DoseBook; DoseBook({str(path)!r})"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "in use by another run" in other.stderr
        with pytest.raises(RecordError, match="in use by another run"):
            DoseBook(path)
    DoseBook(path).close()


def test_cells_are_the_files(tmp_path: Path) -> None:
    with DoseBook(tmp_path / "doses", cell_um=7.0) as book:
        shine(book)
    with DoseBook(tmp_path / "doses") as book:
        assert book.cell_um == 7.0
    with pytest.raises(RecordError, match=r"cells of 7.0 um"):
        DoseBook(tmp_path / "doses", cell_um=20.0)
    DoseBook(tmp_path / "doses", cell_um=7.0).close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no open file away")
def test_a_file_that_is_taken_away_is_told(tmp_path: Path) -> None:
    with DoseBook(tmp_path / "doses", sync_s=0.01) as book:
        (tmp_path / "doses").unlink()
        gone = threading.Event()
        while not book.trouble:
            gone.wait(0.01)
        with pytest.raises(RecordError, match="moved or deleted"):
            shine(book)
        assert book.field(0.0, 0.0) == 1.0  # counted all the same


def test_no_place_to_write_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="choose one"):
        DoseBook(tmp_path / "nowhere" / "doses")
    book = DoseBook(tmp_path / "doses")
    book.close()
    book.close()


def test_writing_anew_while_others_book_loses_nothing(tmp_path: Path) -> None:
    with DoseBook(tmp_path / "doses", sync_s=0.01) as book:
        done = threading.Event()

        def compact() -> None:
            while not done.is_set():
                book.compact()

        threads = [threading.Thread(target=compact) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in range(500):
            shine(book)
        done.set()
        for thread in threads:
            thread.join()
        assert not book.trouble
    with DoseBook(tmp_path / "doses") as book:
        assert book.field(0.0, 0.0) == pytest.approx(500.0)


class Kept(RuleBasedStateMachine):
    """Light, restarts, compactions and torn ends in any order, against one plain sum."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "doses"
        self.book = DoseBook(self.path)
        self.sums = [0.0] * 3

    @rule(place=st.integers(0, 2), dose=st.floats(0.01, 5.0))
    def light(self, place: int, dose: float) -> None:
        shine(self.book, 1000.0 * place, dose)
        self.sums[place] += dose

    @rule()
    def compact(self) -> None:
        self.book.compact()

    @rule(tail=st.binary(max_size=30))
    def again(self, tail: bytes) -> None:
        self.book.close()
        with open(self.path, "ab") as file:
            file.write(tail)
        self.book = DoseBook(self.path)
        assert self.book.torn == len(tail)

    @precondition(lambda self: hasattr(self, "sums"))
    @invariant()
    def nothing_is_forgotten(self) -> None:
        assert [self.book.field(1000.0 * place, 0.0) for place in range(3)] == pytest.approx(self.sums)

    def teardown(self) -> None:
        if hasattr(self, "book"):
            self.book.close()
            self.folder.cleanup()


TestKept = Kept.TestCase
TestKept.settings = settings(
    max_examples=20,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
