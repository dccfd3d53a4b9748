"""Images of stages handed back to the acquisition: each with its frame's event and metadata, and nothing waits."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import useq
from pymmcore_plus import CMMCorePlus

from onscope.runtime import Event, Runtime, SourceError, keep_newest
from tests.models import frame

Make = Callable[..., Runtime]
CHANNELS = [{"config": "DAPI", "exposure": 2}, {"config": "FITC", "exposure": 2}]
SEQUENCE = useq.MDASequence.model_validate(
    {"time_plan": {"interval": 0, "loops": 3}, "channels": CHANNELS, "z_plan": {"range": 1, "step": 1}}
)
FRAMES = 12


class Seen:
    """What a display is given, of raw and of derived images alike."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.summary: Any = None
        self.images: dict[tuple[Any, ...], Any] = {}
        self.metas: dict[tuple[Any, ...], Any] = {}

    def sequenceStarted(self, sequence: Any, summary: Any) -> None:
        self.calls.append("started")
        self.summary = summary

    def frameReady(self, image: Any, event: Any, meta: Any) -> None:
        self.calls.append("frame")
        place = tuple(event.index.values())
        self.images[place], self.metas[place] = image.copy(), meta

    def sequenceFinished(self, sequence: Any) -> None:
        self.calls.append("finished")


def test_a_handler_is_given_each_image_with_its_event(core: CMMCorePlus, runtime: Make, events: list[Event]) -> None:
    raw, derived, it = Seen(), Seen(), runtime()
    for _ in range(2):
        with it.attach(core, derived=derived):
            core.mda.run(SEQUENCE, output=raw)
        assert list(derived.images) == list(raw.images)
        for place, image in raw.images.items():
            np.testing.assert_array_equal(derived.images[place], image + 1)
            told = dict(derived.metas[place])
            extra = told.pop("extra")
            assert extra["onscope"]["stage"] == "plus"
            assert told.items() >= {key: raw.metas[place][key] for key in ("exposure_ms", "camera_device")}.items()
    assert derived.calls == (["started"] + ["frame"] * FRAMES + ["finished"]) * 2
    assert [derived.summary["image_infos"][0][side] for side in ("height", "width")] == [48, 64]
    assert it.ledger.reasons == {"done": 2 * FRAMES}
    assert not [event for event in events if event.bad]


@pytest.mark.parametrize("name", ["plus.ome.zarr", "plus.ome.tiff"])
def test_an_ome_file_has_the_images_where_their_frames_are(
    core: CMMCorePlus, runtime: Make, tmp_path: Path, name: str
) -> None:
    import tifffile
    import zarr

    raw = Seen()
    with runtime().attach(core, derived={"plus": tmp_path / name}):
        core.mda.run(SEQUENCE, output=raw)
    if name.endswith("zarr"):
        saved = np.asarray(zarr.open_array(tmp_path / name / "0", mode="r"))
    else:
        saved = tifffile.imread(tmp_path / name)
    assert saved.shape == (3, 2, 2, 48, 64)
    for (t, c, z), image in raw.images.items():
        np.testing.assert_array_equal(saved[t, c, z], image + 1)


def test_a_frame_that_the_camera_lost_leaves_its_place_empty(
    core: CMMCorePlus, runtime: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import zarr

    pop, popped = core.popNextImageAndMD, itertools.count()

    def losing(*more: Any) -> Any:
        image = pop(*more)
        if next(popped) == 4:  # of the third sequence of two the first is lost, and the second comes in its place
            while not core.getRemainingImageCount():
                assert core.isSequenceRunning()
            return pop(*more)
        return image

    monkeypatch.setattr(core, "popNextImageAndMD", losing)
    raw = Seen()
    with runtime().attach(core, derived=tmp_path / "plus.ome.zarr"):
        core.mda.run(SEQUENCE, output=raw)
    saved = np.asarray(zarr.open_array(tmp_path / "plus.ome.zarr" / "0", mode="r"))
    assert saved.shape == (3, 2, 2, 48, 64)
    for place in np.ndindex(3, 2, 2):
        expected = raw.images[place] + 1 if place in raw.images else np.zeros((48, 64))
        np.testing.assert_array_equal(saved[place], expected)
    assert len(raw.images) < FRAMES


def test_frames_without_an_answer_leave_their_place_empty(core: CMMCorePlus, runtime: Make, tmp_path: Path) -> None:
    import zarr

    raw, it = Seen(), runtime(along="z", length=2)
    with it.attach(core, derived=tmp_path / "mean.ome.zarr"):
        core.mda.run(SEQUENCE, output=raw)
    saved = np.asarray(zarr.open_array(tmp_path / "mean.ome.zarr" / "0", mode="r"))
    for t in range(3):
        for c in range(2):
            mean = (raw.images[t, c, 0].astype(np.float32) + raw.images[t, c, 1]) / 2
            np.testing.assert_array_equal(saved[t, c, 1], mean.astype(np.uint16))
            assert not saved[t, c, 0].any()


def test_a_handler_that_hangs_delays_nobody_and_the_ledger_says_so(core: CMMCorePlus, runtime: Make) -> None:
    open_, n = threading.Event(), 200

    class Hanging:
        def frameReady(self, image: Any) -> None:
            open_.wait(30)

    it = runtime(admission=keep_newest(2))
    sequence = useq.MDASequence.model_validate({"time_plan": {"interval": 0, "loops": n}})
    with it.derive(Hanging()) as derived:
        with it.attach(core):
            core.mda.run(sequence)
        assert it.ledger.submitted == n  # the run is over, and the handler has not returned once
        assert not derived.given
        open_.set()
    assert it.ledger.adds_up()
    assert sum(derived.given.values()) == it.ledger.counts["done"] < n
    assert derived.skipped == 0


def test_a_handler_that_raises_is_given_no_more(core: CMMCorePlus, runtime: Make, events: list[Event]) -> None:
    class Broken:
        calls = 0

        def frameReady(self, image: Any) -> None:
            self.calls += 1
            raise ValueError("no such window")

    broken, it = Broken(), runtime()
    with it.attach(core, derived=broken):
        core.mda.run(SEQUENCE)
    assert (broken.calls, it.ledger.reasons) == (1, {"done": FRAMES})
    told = [event.message for event in events if event.kind == "hook error"]
    assert told == ["images of plus are handed on no more: ValueError('no such window')"]


def test_what_is_kept_of_frames_is_bounded(core: CMMCorePlus, runtime: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from onscope.runtime.hooks import _derived

    monkeypatch.setattr(_derived, "MOST", 16)
    it, most = runtime(admission=keep_newest(2), provider="null:50"), 0
    sequence = useq.MDASequence.model_validate({"time_plan": {"interval": 0, "loops": 150}})
    with it.derive(Seen()) as derived:

        def look(*told: Any) -> None:
            nonlocal most
            most = max(most, len(derived._told))

        core.mda.events.frameReady.connect(look)
        with it.attach(core):
            core.mda.run(sequence)
        core.mda.events.frameReady.disconnect(look)
    assert 0 < most <= 32
    assert sum(derived.given.values()) == it.ledger.counts["done"] > 0


def test_frames_of_no_acquisition_are_not_handed_on(runtime: Make) -> None:
    it, seen = runtime(), Seen()
    with it.derive(seen) as derived:
        it.submit(frame(0))
        assert it.drain(20)
    assert (seen.calls, derived.given, derived.skipped) == ([], {}, 1)


def test_what_cannot_be_handed_on_to_is_told(runtime: Make, tmp_path: Path) -> None:
    it = runtime()
    for into, words in [
        (object(), "found a object, expected what images can be handed on to"),
        ({"minus": object()}, "found outputs for minus, expected stages of plus"),
        (tmp_path, "expected a new folder"),
    ]:
        with pytest.raises(SourceError, match=words), it.derive(into):
            pass
