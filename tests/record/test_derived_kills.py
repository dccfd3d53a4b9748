"""The acquisition process is killed at random moments: each answer that a row names is there, on all of its levels."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from onscope.runtime.record import RecordedRun
from onscope.runtime.record._pyramid import pyramid
from tests.live.test_labels import circles
from tests.models import plus_one

from ._made import completed, noise

SIZE = (1030, 24)
CHILD = """
import sys
from onscope.runtime import Frame, FrameId, Pipeline, Stage
from onscope.runtime.record import Recording
from tests.record._made import made_result, noise, spots

image, labels = sys.argv[2:]
pipeline = Pipeline([Stage("up", image), Stage("cells", labels), Stage("found", image)])
recording = Recording(sys.argv[1], pipeline)
size = (1030, 24)
for seq in range(100_000):
    index = {"t": seq // 6, "c": seq % 2, "z": seq // 2 % 3}
    frame = Frame(FrameId("run", "cam", 0, seq), noise((8, 8), "uint16", seq), "yx", index)
    recording.save(frame)
    if seq % 5 != 4:
        answers = {"up": noise(size, "float32", seq), "cells": noise(size, "int32", seq), "found": spots(3, seq)}
        recording.add(made_result(frame, answers))
    if seq == 8:
        print("ready", flush=True)
"""


def check(run: RecordedRun) -> int:
    """Everything that the rows of results name is there and equal; how many rows there are."""
    rows = run.table("results").to_pylist()
    frames = {row["seq"]: row for row in run.table("frames").to_pylist()}
    for number, row in enumerate(rows):
        if number < len(rows) - 25 and number % 10:
            continue  # the last ones were under way
        seq = row["seq"]
        assert row["up_index"] == row["cells_index"] == frames[seq]["index"]
        for stage, dtype in (("up", "float32"), ("cells", "int32")):
            expected = noise(SIZE, dtype, seq)
            np.testing.assert_array_equal(run.answer(stage, number), expected, strict=True)
            images = run.images[row[f"{stage}_array"]]
            np.testing.assert_array_equal(images[row[f"{stage}_index"]], expected)
            if stage == "cells":  # labels of a raw image have one level, as it has
                assert not (images.path / "1").exists()
                continue
            small: Any = zarr.open_array(images.path / "1", mode="r")
            np.testing.assert_array_equal(small[tuple(row["up_index"])], pyramid(expected)[1], strict=True)
        assert images.path == run.folder / "raw.ome.zarr" / "labels" / "cells"
        assert np.count_nonzero(images.present) == len(rows)
    assert run.table("found").num_rows >= 3 * len(rows)
    return len(rows)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kills", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_what_the_table_of_results_names_is_there(tmp_path: Path, kills: int) -> None:
    plus_one(tmp_path / "plus")
    packages = tmp_path / "plus", circles(tmp_path / "circles")
    moments, checked = random.Random(kills), 0
    for number in range(kills):
        folder = tmp_path / f"run-{number}"
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, folder, *packages],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(moments.random() * 0.3)
        child.kill()
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        checked += check(completed(folder))
    assert checked > 0
