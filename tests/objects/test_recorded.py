"""Objects of a recorded run, given to other programs as those of a live one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from onscope.runtime import Frame, FrameId, FrameSpec, Measure, Pipeline, Runtime, Stage
from onscope.runtime.objects import to_pandas, write_geojson, write_table
from onscope.runtime.record import Recording, open_recording
from tests.live.test_labels import circles

SPEC = FrameSpec((72, 96), "float32", camera="cam", pixel_size_um=0.5)
SCENES: tuple[list[tuple[int, int, int]], ...] = ([(20, 24, 11), (50, 70, 14)], [], [(30, 40, 9)])


def frame(seq: int) -> Frame:
    pixels = np.zeros(SPEC.shape, np.float32)
    for y, x, radius in SCENES[seq]:
        pixels[y, x] = radius
    return Frame(FrameId("run", "cam", 0, seq), pixels, pixel_size_um=0.5)


class Source:
    """The scenes, one after the other."""

    def spec(self) -> FrameSpec:
        return SPEC

    def frames(self, n: int | None = None) -> Any:
        return map(frame, range(len(SCENES)))


def test_tables_and_outlines_of_a_recorded_run(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("nuclei", circles(tmp_path / "circles")), Measure("cells", of="nuclei")])
    live: list[Any] = []
    with Recording(tmp_path / "run", pipeline) as recording, Runtime(pipeline, worker="thread") as runtime:
        for result in runtime.stream(recording.tap(Source()), n=len(SCENES)):
            recording.add(result)
            live.append(result)
        recording.finish(runtime.ledger)
    run = open_recording(tmp_path / "run")
    cells = run.table("cells")
    names = live[0]["cells"].dtype.names
    assert set(names) <= set(cells.column_names)
    assert to_pandas(cells)["seq"].tolist() == [0, 0, 2]
    for name in names:
        np.testing.assert_array_equal(cells[name].to_numpy(), np.concatenate([each["cells"] for each in live])[name])

    of_first = cells.filter(pc.field("seq") == 0)
    path = tmp_path / "first.geojson"
    write_geojson(path, run.answer("nuclei", 0), of_first)
    features = json.loads(path.read_text())["features"]
    assert [each["properties"]["measurements"]["area"] for each in features] == live[0]["cells"]["area"].tolist()
    write_table(tmp_path / "first.parquet", of_first)
    assert pq.read_table(tmp_path / "first.parquet").equals(of_first)
