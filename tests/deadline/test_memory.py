"""What networks and tracks remember begins anew with a level; what is measured stays in the raw frame's pixels."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from onscope.runtime import Gather, Measure, Pipeline, Stage, Track, block
from tests.deadline import live
from tests.deadline.live import Make, next_of, take
from tests.graph.generated import Recipe, write
from tests.live.test_compiled import UNIT
from tests.live.test_hosted import SPEC, frame
from tests.live.test_labels import circles


def test_a_recurrent_network_begins_anew(runtime: Make, tmp_path: Path) -> None:
    package = write(tmp_path / "net", Recipe(recurrent=True, described="uint16", pre=(UNIT,)))
    it = runtime(Pipeline([Stage("net", package)], Gather(1, on_gap="reset")), ["roi=0.5"])
    results = it.subscribe(block(100))
    came = take(it, results, 9)
    first = next(number for number, result in enumerate(came) if result.level)
    assert [number for number, result in enumerate(came) if result.state_reset] == [0, first]


def test_every_other_window_is_no_gap_of_its_memory(runtime: Make, tmp_path: Path) -> None:
    package = write(tmp_path / "net", Recipe(recurrent=True, described="uint16", pre=(UNIT,)))
    it = runtime(Pipeline([Stage("net", package)], Gather(1, on_gap="reset")), ["every=2"])
    results = it.subscribe(block(100))
    came = take(it, results, 3)
    assert it.level == 1
    for seq in range(3, 23):
        it.submit(live.frame(seq))
    assert it.drain(60)
    it.close()
    came += list(results)
    assert len(came) == 13
    assert [number for number, result in enumerate(came) if result.state_reset] == [0, 3]


def test_objects_and_tracks_in_a_region(runtime: Make, tmp_path: Path) -> None:
    stages = [
        Stage("nuclei", circles(tmp_path / "circles")),
        Measure("cells", of="nuclei"),
        Track("tracks", of="cells", max_distance=10, gap=2),
    ]
    it = runtime(Pipeline(stages), ["roi=0.7"])
    it.prepare(SPEC)
    results = it.subscribe(block(100))
    height, width = SPEC.shape
    came = []
    for seq in range(9):
        it.submit(frame(seq, (height // 2, width // 2 + seq, 6)))
        came.append(next_of(results))
        time.sleep(0.04)
    first = next(number for number, result in enumerate(came) if result.level)
    assert [number for number, result in enumerate(came) if result.state_reset] == [0, first]
    for seq, result in enumerate(came):
        assert len(result["cells"]) == 1
        for name in ("cells", "tracks"):
            assert abs(float(result[name]["y"][0]) - height // 2) < 1
            assert abs(float(result[name]["x"][0]) - width // 2 - seq) < 1
        assert result["nuclei"].shape == SPEC.shape
        assert result["nuclei"][height // 2, width // 2 + seq] == result["cells"]["label"][0]
    numbers = [int(result["tracks"]["track"][0]) for result in came]
    assert numbers == [1] * first + [2] * (9 - first)
    assert np.all(came[-1]["nuclei"][:3] == 0)
