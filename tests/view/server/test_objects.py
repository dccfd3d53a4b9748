"""Objects and the feedback at a viewer, through a pipeline that finds them and rules that look at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from onscope.view import View
from onscope.view._wire import Message
from tests.feedback.loop.microscopes import bench
from tests.live.test_hosted import SPEC, frame
from tests.live.test_tracked import tracked

from .rigs import PATIENT_S, Eyes, eyes, rig


def test_outlines_and_tails(tmp_path: Path) -> None:
    with rig(tmp_path, tracked(tmp_path), SPEC) as run, run.eyes() as viewer:
        vectors = ["outlines:cells", "spots:cells", "tails:tracks", "boxes:cells", "outlines:nothing"]
        viewer.show({"id": 4, "image": "nuclei", "vectors": vectors}, credit=1)
        for at in range(4):
            run.runtime.submit(frame(at, (20, 20 + 4 * at, 8), (52, 60 - 4 * at, 11)))
            head, arrays = viewer.update()
            if at < 3:
                viewer.say(type="credit", n=1)
        assert head["frame"]["seq"] == 3
        drawn = {each["kind"]: each for each in head["vectors"]}
        assert drawn.keys() == {"outlines", "spots", "tails", "boxes"}
        cells = {name: arrays[at["array"]] for name, at in head["tables"][0]["columns"].items()}
        points, starts, rows = (arrays[drawn["outlines"][name]["array"]] for name in ("points", "starts", "rows"))
        assert sorted(rows.tolist()) == [0, 1]
        for at, row in enumerate(rows):
            ring = points[starts[at] : starts[at + 1]]
            assert [*ring.min(axis=0), *ring.max(axis=0)] == arrays[drawn["boxes"]["points"]["array"]][row].tolist()
            middle = (ring.min(axis=0) + ring.max(axis=0)) / 2
            assert np.abs(middle - [cells["y"][row] + 0.5, cells["x"][row] + 0.5]).max() <= 1.5
        points, starts = (arrays[drawn["tails"][name]["array"]] for name in ("points", "starts"))
        assert np.diff(starts).tolist() == [4, 4]
        assert np.abs(np.diff(points[:4, 1])).round().tolist() == [4, 4, 4]
        picture = arrays[head["views"][0]["array"]]
        assert set(np.unique(picture)) == {0, 1, 2}
        layout = viewer.text("layout", lambda told: told["layout"]["run"])["layout"]
        assert {table["name"]: table["kinds"] for table in layout["tables"]} == {
            "cells": ["outlines", "boxes", "spots"],
            "tracks": ["spots", "tails"],
        }
        assert [image["labels"] for image in layout["images"]] == [False, True]


@pytest.mark.long
def test_the_feedback_is_told(tmp_path: Path) -> None:
    with (
        bench(tmp_path, "thread") as made,
        made.feedback(armed=False) as feedback,
        View(made.runtime, feedback=feedback) as view,
        eyes(view.port) as viewer,
    ):
        viewer.say(type="hello", version=1, token="")
        made.run(5)
        assert feedback.settle(PATIENT_S)
        told = shadowed(viewer)
        assert told["armed"] is False
        assert told["held"] == ""
        assert told["counts"] == feedback.counts
        last = told["last"][-1]
        assert (last["rule"], last["kind"]) == ("go", "move_stage")
        assert last["words"]
        assert "journal" not in told


def shadowed(viewer: Eyes) -> Message:
    """The feedback's block of the first status that tells of what it would have done."""
    true = viewer.text("status", lambda told: told["feedback"]["last"] and told["feedback"]["counts"].get("shadow"))
    told: Message = true["feedback"]
    return told
