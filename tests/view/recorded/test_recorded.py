"""A recording played: the same frames, answers and numbers as they were live."""

from __future__ import annotations

import shutil
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
import tifffile

from onscope.runtime import Event, RecordError, Result, SourceError
from onscope.view.recorded import Player, Recorded, Stored, open_played, playing
from onscope.view.recorded._queue import Newest

from .conftest import FRAMES, Made

PATIENCE_S = 60.0


def same(shown: Result, live: Result) -> None:
    assert shown.frame.id == live.frame.id
    assert np.array_equal(shown.frame.pixels, live.frame.pixels)
    assert shown.frame.index == live.frame.index
    assert list(shown.answers) == list(live.answers)
    for stage, answer in live.answers.items():
        assert shown[stage].dtype == answer.dtype, stage
        assert np.array_equal(shown[stage], answer), stage
        assert not shown[stage].flags.writeable
    assert shown.scales == {stage: live.scales.get(stage, 1.0) for stage in shown.scales}
    assert shown.latency_ms == pytest.approx(live.latency_ms, abs=1e-3)
    assert shown.stamps.steps_ms() == pytest.approx(live.stamps.steps_ms(), abs=1e-3)
    assert shown.state == live.state
    assert shown.provenance == live.provenance


def test_each_frame_has_what_it_had(made: Made) -> None:
    recorded = Recorded(made.folder)
    assert len(recorded) == FRAMES == len(made.results)
    for number in (3, 0, 5, 1, 2, 4):
        same(recorded[number], made.results[number])
    assert [stage.name for stage in recorded.stages] == ["plus", "double", "found"]
    assert [stage.gives for stage in recorded.stages] == ["image", "image", "table"]
    assert recorded.stages[1].inputs == ("plus",)
    assert recorded.providers == {"plus": "cpu", "double": "cpu", "found": "cpu"}
    seconds = [recorded.seconds(number) for number in range(FRAMES)]
    assert seconds == sorted(seconds)


def next_of(results: Newest) -> int:
    result = results.take(PATIENCE_S)
    assert result is not None
    return result.frame.id.seq


def test_a_viewer_chooses_the_frame(made: Made) -> None:
    with Player(Recorded(made.folder), made.folder) as player:
        results, do = player.subscribe(), playing(player)
        assert next_of(results) == 0
        for number in (4, 1, 5):
            assert do["seek"]({"frame": number})["words"] == f"frame {number}"
            assert next_of(results) == number
        assert player.status() == {"play": {"frame": 5, "frames": FRAMES, "fps": 0.0}, "paused": True}
        assert player.ledger.counts["done"] == FRAMES
        assert player.ledger.reasons == {"done": FRAMES}
        late = player.subscribe()
        assert next_of(late) == 5  # who comes later sees it as well
    assert results.take() is None
    assert results.closed


@pytest.mark.parametrize("fps", [200.0, None])
def test_it_plays_to_its_end_and_again(made: Made, fps: float | None) -> None:
    with Player(Recorded(made.folder)) as player:
        results = player.subscribe()
        assert next_of(results) == 0
        for _ in range(2):
            playing(player)["play"]({"fps": fps})
            seen = [next_of(results)]
            while seen[-1] != FRAMES - 1:
                seen.append(next_of(results))
            assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("seek", {}),
        ("seek", {"frame": -1}),
        ("seek", {"frame": FRAMES}),
        ("seek", {"frame": "1"}),
        ("seek", {"frame": True}),
        ("play", {"fps": -1}),
        ("play", {"fps": 1e9}),
        ("play", {"fps": float("nan")}),
        ("play", {"fps": "fast"}),
    ],
)
def test_what_cannot_be_shown_is_refused(made: Made, action: str, fields: dict) -> None:
    with Player(Recorded(made.folder)) as player:
        results = player.subscribe()
        assert next_of(results) == 0
        with pytest.raises(SourceError, match="expected"):
            playing(player)[action](fields)
        player.seek(2)
        assert next_of(results) == 2


def test_a_frame_that_is_gone_is_told_of_and_others_are_shown(made: Made, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(made.folder, copy)
    for chunk in (copy / "raw.ome.zarr/0/c/2").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"broken")
    told: Queue[Event] = Queue()
    with Player(Recorded(copy), tell=told.put) as player:
        results = player.subscribe()
        assert next_of(results) == 0
        for number in (3, 4):
            player.seek(2)
            assert "cannot be read" in told.get(timeout=PATIENCE_S).message
            player.seek(number)
            assert next_of(results) == number


def test_images_of_others(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 999, (4, 20, 30), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "stack.tif", images, photometric="minisblack")
    stored = open_played(tmp_path / "stack.tif")
    assert isinstance(stored, Stored)
    with stored:
        assert len(stored) == 4
        for number in (0, 2, 2, 1, 3):
            assert np.array_equal(stored[number].frame.pixels, images[number])


def test_what_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        open_played(tmp_path)
    (tmp_path / "recording.json").write_text("{}")
    with pytest.raises(RecordError):
        open_played(tmp_path)
