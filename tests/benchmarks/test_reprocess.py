"""The benchmark of reprocessing runs at tiny sizes and draws its pictures. No times are asserted here."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from benchmarks._report import PLACES, README
from benchmarks.reprocess._material import recorded
from benchmarks.reprocess._memory import Memory
from benchmarks.reprocess._picture import draw_memory, draw_speed
from benchmarks.reprocess._speed import CHUNK, Speed, measure

pytest.importorskip("distributed")


@pytest.mark.slow
def test_every_way_is_timed(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "frames", 20, 64, plain=False)
    found = measure(recording, tmp_path, 20, 64, "cpu", (1, 2), (4,), 1, lambda words: None)
    assert len(found.alone) == 1
    assert set(found.by_workers) == {1, 2}
    assert set(found.by_chunk) == {4, CHUNK}
    draw_speed([found], 2, "speed", tmp_path / "speed.png")
    assert cv2.imread(str(tmp_path / "speed.png")) is not None


def test_both_figures_are_drawn(tmp_path: Path) -> None:
    by_chunk = {size: [4.0, 5.0] for size in (1, 4, 16, 64)}
    found = Speed(40, 64, "cpu", [8.0, 8.0], [1.4, 1.6], {n: [8.0 / n, 9.0 / n] for n in (1, 2, 3, 4)}, by_chunk)
    waits = Speed(40, 64, "waits", [8.0, 8.0], [0.2, 0.2], found.by_workers, by_chunk)
    assert [found.most(n, 2) for n in (1, 2)] == [1, pytest.approx(4 / 3)]
    assert waits.most(4, 2) == 4
    draw_speed([found, waits], 2, "speed", tmp_path / "a.png")
    samples = {n: [(s / 4, 100.0 + n) for s in range(80)] for n in (11, 12)}
    memory = Memory(500, 3000.0, samples, [(s / 4, 300.0) for s in range(80)], 20.0)
    assert memory.rise() == 1.0
    assert memory.most() == 112.0
    draw_memory(memory, "memory", tmp_path / "b.png")
    for name in ("a.png", "b.png"):
        drawn = cv2.imread(str(tmp_path / name))
        assert drawn is not None
        assert drawn.shape[1] == 1400


def test_the_readme_has_a_place_for_it() -> None:
    assert all(mark in README.read_text(encoding="utf-8") for mark in PLACES["reprocess"])
