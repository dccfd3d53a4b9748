"""The benchmark of variants runs at tiny sizes and reports in one shape. No times are asserted here."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from benchmarks._report import PLACES, README, as_json, conditions
from benchmarks.precision import NAMES, TINY, measure
from benchmarks.precision._quality import Quality, calibrating

from onscope.export.zoo import PACKAGES


@pytest.mark.long
def test_a_package_gives_rows_with_their_numbers() -> None:
    told: list[str] = []
    rows = measure(TINY, ["care-beads"], told.append)
    assert told[0] == "reducing care-beads"
    whats = [row.what for row in rows]
    for precision in ("int8", "fp16"):
        assert any(f"in {precision}" in what and "difference to float" in what for what in whats)
        assert any(f"in {precision} against the truth" in what for what in whats)
        assert any(f"in {precision} on cpu" in what for what in whats)
    for row in rows:
        assert re.search(r"\d", row.ours) or row.detail["because"]
        assert row.ratio is None or np.isfinite(row.ratio)
    json.loads(as_json(rows, conditions()))
    assert all(line in README.read_text(encoding="utf-8") for line in PLACES["precision"])


def test_the_float_weights_are_as_good_as_they_are_said_to_be() -> None:
    """The README of care-beads: 44.3 dB on scenes like the demonstration's, 0.979 of their spots."""
    assert Quality("care-beads", "demo-like", 1).of(PACKAGES / "care-beads" / "weights.onnx") > 42
    assert Quality("spots-beads", "demo-like", 1).of(PACKAGES / "spots-beads" / "weights.onnx") > 0.93


def test_calibrating_frames_are_what_the_network_gets() -> None:
    raw, denoised = calibrating("care-beads", 1)[0], calibrating("spots-beads", 1)[0]
    assert raw.shape == denoised.shape == (256, 256)
    assert raw.dtype == denoised.dtype == np.uint16
    assert denoised.std() < raw.std()
    assert NAMES == ("care-beads", "espcn-beads", "spots-beads")
