"""What a run tells of trust: live, at its end, in its overview."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console

from onscope.cli._display import line, trust_words
from onscope.cli._monitor import Monitor
from onscope.runtime import Frame, FrameId, Result, Stamps
from onscope.runtime.record import Recording, open_recording, overview
from onscope.runtime.record._trust_chart import HEIGHT, suspicions

PIXELS = np.arange(96 * 96, dtype=np.uint16).reshape(96, 96)


def result(seq: int, trust: dict[str, float], suspect: tuple[str, ...] = ()) -> Result:
    frame = Frame(FrameId("run", "cam", 0, seq), PIXELS, "yx", received_ns=seq * 1000)
    times = seq * 1000 + 1, seq * 1000 + 2, seq * 1000 + 3, seq * 1000 + 4, seq * 1000 + 5
    stamps = Stamps(*times, {"denoise": (seq * 1000 + 6, seq * 1000 + 7)}, seq * 1000 + 8, seq * 1000 + 9)
    values: Any = MappingProxyType({"denoise": trust} if trust else {})
    named: Any = MappingProxyType({"denoise": suspect} if suspect else {})
    return Result((frame,), {"denoise": PIXELS}, stamps, {}, trust=values, suspect=named)


def told(monitor: Monitor) -> str:
    console = Console(width=120, record=True, file=StringIO())
    for words in trust_words(monitor):
        console.print(words, soft_wrap=True)
    return console.export_text()


def test_suspect_results_are_counted_by_value() -> None:
    monitor = Monitor()
    monitor.add(result(0, {"bias": 0.01, "suspicion": 0.2}))
    assert told(monitor) == "trust denoise none of 1 suspect\n"
    assert "suspect" not in line(monitor, {"done": 1}, 1, None)
    monitor.add(result(1, {"bias": 0.5, "suspicion": 3.0}, ("bias", "distance")))
    monitor.add(result(2, {"bias": 0.4, "suspicion": 2.0}, ("bias",)))
    assert told(monitor) == "trust denoise 2 of 3 suspect (bias 2, distance 1)\n"
    assert "denoise 2 suspect" in line(monitor, {"done": 3}, 3, None)
    assert monitor.notes()["trust denoise"] == "2 of 3 suspect (bias 2, distance 1)"


def test_without_limits_the_last_values_are_told() -> None:
    monitor = Monitor()
    monitor.add(result(0, {"bias": 0.0123, "removed": 0.97}))
    assert told(monitor) == "trust denoise 1 looked at, without limits: last bias 0.0123, removed 0.97\n"
    assert told(Monitor()) == ""


def test_the_overview_has_a_strip_of_trust_where_there_is_any(tmp_path: Path) -> None:
    sizes = {}
    for name, trust in (("with", {"bias": 0.1, "suspicion": 2.5}), ("without", {"bias": 0.1})):
        with Recording(tmp_path / name) as recording:
            for seq in range(3):
                given = result(seq, trust, ("bias",) if "suspicion" in trust else ())
                recording.save(given.frame)
                recording.add(given)
        run = open_recording(tmp_path / name)
        found = suspicions(run)
        assert {stage: values.tolist() for stage, values in found.items()} == (
            {"denoise": [2.5] * 3} if "suspicion" in trust else {}
        )
        overview(run, tmp_path / f"{name}.png")
        sizes[name] = Image.open(tmp_path / f"{name}.png").size
    assert sizes["with"][1] - sizes["without"][1] == HEIGHT + 16
