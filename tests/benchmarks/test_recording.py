"""The benchmark of recording runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.recording import NAMES, TINY, measure
from benchmarks.recording._codecs import DEFAULT, LAYOUTS
from benchmarks.recording._frames import KINDS, camera_like, noise, real

from onscope.runtime.record._array import array_spec


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_gives_rows_with_their_numbers(name: str) -> None:
    rows = measure(TINY, [name], lambda text: None)
    expected = {"recorder": 4, "formats": 2, "codecs": len(LAYOUTS) * (2 if real(64) else 1)}
    assert len(rows) == expected[name]
    for row in rows:
        assert re.match(r"\d+ (frames/s|MB/s)", row.ours)
        assert row.ratio is not None
        assert np.isfinite(row.ratio)
        assert (row.met is None) == (name != "recorder")
    json.loads(as_json(rows, conditions()))
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["recording"])


def test_the_default_is_what_is_recorded() -> None:
    _, *codecs = array_spec(Path("raw"), (1, 8, 8), (1, 8, 8), np.dtype(np.uint16), "tyx")["metadata"]["codecs"]
    assert tuple(codecs) == LAYOUTS[DEFAULT].codecs


def test_images_differ_from_each_other() -> None:
    for make in (noise, camera_like):
        first, second, *_ = make(96)
        assert first.shape == (96, 96)
        assert first.dtype == np.uint16
        assert (first != second).mean() > 0.5
    assert noise(64)[0].std() > 15_000 > camera_like(64)[0].std()
    assert set(KINDS) == {"noise", "camera-like", "real"}
