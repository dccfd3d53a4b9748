"""What several workers compute is what the live run gave, to the bit: images, tables, windows, memory and account."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.drivers import scripted
from onscope.runtime import (
    Frame,
    FrameId,
    FrameSpec,
    Gather,
    Measure,
    OnscopeError,
    Pipeline,
    PipelineError,
    Runtime,
    Stage,
    Track,
    keep_newest,
)
from onscope.runtime.record import Hold, open_recording
from onscope.runtime.record.verify import verify
from onscope.runtime.reprocess import Reprocessed, reprocess
from onscope.runtime.worker import Ways
from tests import models
from tests.live import test_hosted
from tests.live.test_compiled import RANGE, SPEC, frames, scaled
from tests.live.test_labels import circles
from tests.live.test_window_answers import SPEC as SMALL
from tests.live.test_window_answers import adding, weighted

from .made import assert_same, record, rows


def again(live: Path, pipeline: Pipeline, out: Path, client: Any, **more: Any) -> Reprocessed:
    return reprocess(live, pipeline, out, cluster=client, **{"provider": "cpu", "chunk": 4, **more})


def numbered(count: int, lost: Sequence[int] = (), **more: Any) -> list[Frame]:
    taken = [
        Frame(FrameId("run", "cam", 0, n), each, "yx", {"t": n}, received_ns=1_000_000 * n, **more)
        for n, each in enumerate(frames(count))
    ]
    return [frame for n, frame in enumerate(taken) if n not in lost]


def small(places: Sequence[dict[str, int]], lost: Sequence[int] = (), **more: Any) -> list[Frame]:
    taken = [models.frame(n, spec=SMALL, index=index, **more) for n, index in enumerate(places)]
    return [frame for n, frame in enumerate(taken) if n not in lost]


@pytest.mark.long
def test_frames_by_themselves(tmp_path: Path, client: Any) -> None:
    """Pass: three stages, two in one graph and a table, are the same; a third run does nothing, and says so."""
    pipeline = models.pipeline(tmp_path)
    record(tmp_path / "live", pipeline, [models.frame(n, n * 60, index={"t": n}) for n in range(30)], models.SPEC)
    done = again(tmp_path / "live", pipeline, tmp_path / "out", client)
    assert (done.windows, done.computed, done.there, done.failed) == (30, 30, 0, 0)
    assert_same(tmp_path / "live", tmp_path / "out", 3)
    assert not (tmp_path / "out" / "unacknowledged").exists()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert again(tmp_path / "live", pipeline, tmp_path / "out", client).finished_before
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    report = verify(tmp_path / "out", sample=None)
    assert report.good, report.faults
    assert "found: 30 identical to the bit" in report["computed again"].notes


@pytest.mark.parametrize("on_gap", ["invalid", "reset", "hold", "pad"])
@pytest.mark.parametrize(("every", "look_ahead"), [(1, 0), (1, 1), (None, 0), (2, 1)])
def test_windows_of_time_with_lost_frames(
    tmp_path: Path, client: Any, on_gap: Any, every: int | None, look_ahead: int
) -> None:
    gather = Gather(3, "t", every=every, look_ahead=look_ahead, on_gap=on_gap)
    pipeline = Pipeline([Stage("net", weighted(tmp_path / "net"))], gather)
    record(tmp_path / "live", pipeline, small([{"t": n} for n in range(23)], lost=(6, 11, 12)), SMALL)
    again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=3)
    assert_same(tmp_path / "live", tmp_path / "out", 1)


def test_stacks(tmp_path: Path, client: Any) -> None:
    """Pass: windows of z at two positions are the same, with a plane that was lost."""
    pipeline = Pipeline([Stage("net", weighted(tmp_path / "net"))], Gather(3, "z"))
    places = [{"t": t, "p": p, "z": z} for t in range(4) for p in range(2) for z in range(3)]
    record(tmp_path / "live", pipeline, small(places, lost=(7,)), SMALL)
    again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=2)
    assert_same(tmp_path / "live", tmp_path / "out", 1)


@pytest.mark.parametrize("on_gap", ["invalid", "hold", "reset"])
def test_networks_that_remember(tmp_path: Path, client: Any, on_gap: Any) -> None:
    """Pass: sums over two places go on from chunk to chunk, and begin anew where they did."""
    pipeline = Pipeline([Stage("net", adding(tmp_path / "net"))], Gather(1, on_gap=on_gap))
    taken = small([{"t": n // 2, "p": n % 2} for n in range(40)], lost=(12, 13, 21))
    record(tmp_path / "live", pipeline, taken, SMALL)
    done = again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=3)
    assert "remembers" in done.why_in_order
    assert_same(tmp_path / "live", tmp_path / "out", 1)


def test_more_places_than_memories(tmp_path: Path, client: Any) -> None:
    pipeline = Pipeline([Stage("net", adding(tmp_path / "net"))], Gather(1, on_gap="hold", places=2))
    taken = small([{"t": n // 6, "p": (0, 1, 0, 2, 0, 1)[n % 6]} for n in range(36)])
    record(tmp_path / "live", pipeline, [taken[n] for n in range(36)], SMALL)
    again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=2)
    assert_same(tmp_path / "live", tmp_path / "out", 1)


@pytest.mark.parametrize("normalise", ["per_frame", "frozen", "running"])
def test_statistics(tmp_path: Path, client: Any, normalise: Any) -> None:
    """Pass: answers are normalised with the same numbers, also those of the windows before."""
    pipeline = Pipeline([Stage("net", scaled(tmp_path / "net", RANGE), normalise=normalise, frozen_frames=3)])
    record(tmp_path / "live", pipeline, numbered(14), SPEC)
    again(tmp_path / "live", pipeline, tmp_path / "out", client)
    assert_same(tmp_path / "live", tmp_path / "out", 1)
    told = [open_recording(tmp_path / name).manifest.get("statistics", []) for name in ("live", "out")]
    assert told[0] == told[1]


def test_objects_and_tracks(tmp_path: Path, client: Any) -> None:
    """Pass: labels, measured objects and tracks of two positions are the same, and numbers are given as they were."""
    pipeline = Pipeline(
        [
            Stage("nuclei", circles(tmp_path / "circles")),
            Measure("cells", of="nuclei"),
            Track("tracks", of="cells", max_distance=10, gap=2),
        ]
    )
    taken = [
        test_hosted.frame(n, (20, 20 + n, 8), (52, 60 - n, 7), index={"t": n // 2, "p": n % 2})
        for n in range(26)
        if n not in (8, 9)
    ]
    record(tmp_path / "live", pipeline, taken, test_hosted.SPEC)
    again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=3)
    assert_same(tmp_path / "live", tmp_path / "out", 3)


def test_cameras_segments_and_stages_that_choose(tmp_path: Path, client: Any) -> None:
    """Pass: a script of losses, restarts, moves and other exposures, with stages of one channel alone."""
    plus, double = models.plus_one(tmp_path / "plus"), models.double(tmp_path / "double")
    pipeline = Pipeline([Stage("plus", plus), Stage("double", double, channel="GFP")])
    script: list[scripted.Step] = [
        scripted.Burst(9),
        scripted.Drop(2),
        scripted.Burst(5),
        scripted.Restart(),
        scripted.Burst(6),
        scripted.Move(channel="GFP", position=1, stage_um=(40.0, 0.0, 0.0)),
        scripted.Burst(7),
        scripted.Change(exposure_ms=30.0, shape=(16, 40)),
        scripted.Burst(5),
    ]
    source = scripted.camera(script, shape=(24, 32), dtype="uint16", name="cam", exposure_ms=10.0)
    record(tmp_path / "live", pipeline, list(source.frames()), source.spec())
    again(tmp_path / "live", pipeline, tmp_path / "out", client)
    assert_same(tmp_path / "live", tmp_path / "out", 2)


@pytest.mark.parametrize("format", ["ome-tiff", "ndtiff"])
def test_raw_frames_in_other_formats(tmp_path: Path, client: Any, format: str) -> None:
    from onscope.runtime.record import Recording

    pipeline, spec = models.pipeline(tmp_path), models.SPEC
    with Recording(tmp_path / "live", pipeline, format=format) as recording:
        with Runtime(pipeline, record=recording, provider="cpu", threads=1, worker="thread") as runtime:
            runtime.prepare(spec)
            for n in range(12):
                runtime.submit(models.frame(n, index={"t": n}))
                assert runtime.drain(60)
        recording.finish(runtime.ledger)
    again(tmp_path / "live", pipeline, tmp_path / "out", client)
    assert_same(tmp_path / "live", tmp_path / "out", 3)


def test_windows_that_ran_then_or_all(tmp_path: Path, client: Any) -> None:
    """Pass: of a run that skipped frames, the same windows come again, or all, as is asked for."""
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    record(tmp_path / "live", pipeline, numbered(20), SPEC, admission=keep_newest(2, every_n=3))
    ran = open_recording(tmp_path / "live").table("results").num_rows
    done = again(tmp_path / "live", pipeline, tmp_path / "out", client)
    assert done.windows == ran < 20
    assert rows(open_recording(tmp_path / "live"), "results") == rows(open_recording(tmp_path / "out"), "results")
    assert again(tmp_path / "live", pipeline, tmp_path / "all", client, windows="all").windows == 20


def test_another_pipeline_and_another_folder(tmp_path: Path, client: Any) -> None:
    """Pass: frames that were recorded without any pipeline become windows; a folder of another pipeline stays."""
    live = tmp_path / "live"
    record(live, models.pipeline(tmp_path), numbered(11), SPEC)
    pipeline = Pipeline([Stage("mean", models.window_mean(tmp_path / "mean", 2))], Gather(2, "t", every=1))
    assert again(live, pipeline, tmp_path / "out", client).windows == 10
    with pytest.raises(OnscopeError, match="choose another folder"):
        again(live, models.pipeline(tmp_path / "other"), tmp_path / "out", client)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("of years")
    with pytest.raises(OnscopeError, match="found other files"):
        again(live, pipeline, tmp_path / "mine", client)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_frame_that_has_changed_is_not_computed(tmp_path: Path, client: Any) -> None:
    """Pass: nothing is computed from pixels that are not the camera's; when they are back, it goes on."""
    live, pipeline = tmp_path / "live", Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    record(live, pipeline, [models.frame(n, index={"t": n}) for n in range(12)], models.SPEC)
    chunk, kept = live / "raw.ome.zarr/0/c/7/0/0", tmp_path / "kept"
    shutil.copy(chunk, kept)
    shutil.copy(live / "raw.ome.zarr/0/c/6/0/0", chunk)
    with pytest.raises(OnscopeError, match=r"frame 7 of .* has other pixels than its checksum says"):
        again(live, pipeline, tmp_path / "out", client, chunk=2)
    assert open_recording(tmp_path / "out").manifest["state"] == "open"
    shutil.copy(kept, chunk)
    done = again(live, pipeline, tmp_path / "out", client, chunk=2)
    assert done.computed + done.there == done.windows == 12
    assert_same(live, tmp_path / "out", 1)


def test_colours_and_large_frames(tmp_path: Path, client: Any) -> None:
    """Pass: samples of RGB are the c axis as they were; the smaller levels of large images are the same bytes."""
    rgb = FrameSpec((24, 32, 3), "uint8", axes="yxs", camera="rgb")
    pipeline = Pipeline([Stage("net", models.plus_rgb(tmp_path / "rgb"))])
    taken = [Frame(FrameId("run", "rgb", 0, n), np.full(rgb.shape, n, np.uint8), "yxs", {"t": n}) for n in range(5)]
    record(tmp_path / "live", pipeline, taken, rgb)
    again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=2)
    assert_same(tmp_path / "live", tmp_path / "out", 1)
    large = FrameSpec((1040, 1500), "uint16", camera="cam")
    pipeline = Pipeline([Stage("net", models.plus_one(tmp_path / "plus"))])
    record(tmp_path / "large", pipeline, [models.frame(n, spec=large) for n in range(3)], large)
    again(tmp_path / "large", pipeline, tmp_path / "again", client)
    assert_same(tmp_path / "large", tmp_path / "again", 1)
    levels = [sorted((tmp_path / name / "net.ome.zarr").rglob("c/*/*/*")) for name in ("large", "again")]
    assert len(levels[0]) == len(levels[1]) == 6
    assert [path.read_bytes() for path in levels[0]] == [path.read_bytes() for path in levels[1]]


def test_only_one_writes_to_a_folder(tmp_path: Path, client: Any) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    record(tmp_path / "live", pipeline, numbered(3), SPEC)
    (tmp_path / "out").mkdir()
    hold = Hold(tmp_path / "out")
    try:
        with pytest.raises(OnscopeError, match="still being written"):
            again(tmp_path / "live", pipeline, tmp_path / "out", client)
    finally:
        hold.close()
    assert again(tmp_path / "live", pipeline, tmp_path / "out", client).windows == 3


def test_threads_of_the_live_engine_make_no_difference(tmp_path: Path, client: Any) -> None:
    """Pass: a real network with a thread per core in the live run gives the same with one in each worker."""
    pipeline = Pipeline([Stage("denoise", "zoo/care-beads"), Stage("up", "zoo/espcn-beads")])
    record(tmp_path / "live", pipeline, numbered(6), SPEC, threads=None)
    again(tmp_path / "live", pipeline, tmp_path / "out", client, chunk=2)
    assert_same(tmp_path / "live", tmp_path / "out", 2)


def test_windows_that_fail_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pass: a window that cannot be computed has its end in the account, and why, as in the live run; others go on.

    The workers are two threads of this process here, so that both runs fail alike.
    """
    from distributed import LocalCluster

    finish = Ways.finish

    def failing(self: Ways, way: int, one: Any) -> Any:
        answers = finish(self, way, one)
        if one.window[0].flat[0] == 104:
            raise PipelineError("104 is an unlucky number")
        return answers

    monkeypatch.setattr(Ways, "finish", failing)
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    record(tmp_path / "live", pipeline, [models.frame(n, index={"t": n}) for n in range(9)], models.SPEC)
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as cluster:
        done = again(tmp_path / "live", pipeline, tmp_path / "out", cluster, chunk=2, windows="all")
    assert (done.failed, done.windows, done.computed) == (1, 9, 9)
    assert done.counts is not None
    assert (done.counts["done"], done.counts["failed"]) == (8, 1)
    assert "104 is an unlucky number" in (tmp_path / "out" / "ledger.csv").read_text()
    assert_same(tmp_path / "live", tmp_path / "out", 1)
