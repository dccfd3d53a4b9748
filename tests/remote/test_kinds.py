"""All kinds of pipelines on a box: the same answers as in a process of this machine, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Frame, FrameSpec, Gather, Package, Pipeline, Result, Runtime, Stage, block
from tests import models
from tests.boxes import Running
from tests.graph.generated import Recipe, write
from tests.live import test_crops, test_hosted, test_tracked
from tests.live.test_swap import plus


def noise(seq: int, **more: Any) -> Frame:
    made = models.frame(seq, **more)
    made.pixels[:] = np.random.default_rng(seq).integers(0, 1500, made.pixels.shape)
    return made


def cells(seq: int) -> Frame:
    chance = np.random.default_rng(seq // 6)
    places = [(int(y), int(x) + seq % 6, 6 + k) for k, (y, x) in enumerate(chance.integers(14, 60, (3, 2)))]
    return test_hosted.frame(seq, *places)


def images(folder: Path) -> Pipeline:
    return models.pipeline(folder)


def sliding(folder: Path) -> Pipeline:
    return Pipeline([Stage("mean", models.window_mean(folder / "mean", 3))], Gather(3, on_gap="pad"))


def jumping(folder: Path) -> Pipeline:
    return Pipeline([Stage("mean", models.window_mean(folder / "mean", 4))], Gather(4, every=4))


def crops(folder: Path) -> Pipeline:
    return Pipeline(test_crops.stages(folder))


def tracks(folder: Path) -> Pipeline:
    return test_tracked.tracked(folder)


def calibrated(folder: Path) -> Pipeline:
    chance = np.random.default_rng(5)
    np.save(folder / "dark.npy", chance.normal(100, 3, models.SPEC.shape).astype(np.float32))
    np.save(folder / "hot.npy", chance.random(models.SPEC.shape) > 0.99)
    (folder / "camera.yaml").write_text("schema: 1\ndark: dark.npy\nhot_pixels: hot.npy\nelectrons_per_count: 0.5\n")
    return Pipeline([Stage("plus", models.plus_one(folder / "plus", "float32"))], calibration=folder / "camera.yaml")


def recurrent(folder: Path) -> Pipeline:
    package = Package.load(write(folder / "recurrent", Recipe(recurrent=True, described="uint16")))
    return Pipeline([Stage("net", package)])


def rows(it: Runtime, frames: list[Frame], change: Callable[[Runtime], object] | None) -> list[Result]:
    results = it.subscribe(block(256))
    for number, each in enumerate(frames):
        if number == len(frames) // 2 and change is not None:
            assert it.drain(60)
            change(it)
        it.submit(each)
    assert it.drain(60)
    it.close()
    return list(results)


def same(one: list[Result], other: list[Result]) -> None:
    assert len(one) == len(other) > 0
    for mine, theirs in zip(one, other, strict=True):
        assert mine.frame.id == theirs.frame.id
        assert list(mine) == list(theirs)
        for stage in mine:
            assert mine[stage].dtype == theirs[stage].dtype
            assert mine[stage].shape == theirs[stage].shape
            assert mine[stage].tobytes() == theirs[stage].tobytes()
        assert [each.pixels.tobytes() for each in mine.frames] == [each.pixels.tobytes() for each in theirs.frames]
        assert mine.provenance == theirs.provenance
        assert mine.parameters == theirs.parameters
        assert (mine.state_reset, mine.padded) == (theirs.state_reset, theirs.padded)


KINDS: dict[str, tuple[Callable[[Path], Pipeline], FrameSpec, Callable[[int], Frame]]] = {
    "images": (images, models.SPEC, noise),
    "sliding windows": (sliding, models.SPEC, lambda n: noise(n + n // 7)),
    "jumping windows": (jumping, models.SPEC, noise),
    "crops": (crops, test_hosted.SPEC, cells),
    "tracks": (tracks, test_hosted.SPEC, cells),
    "recurrent": (recurrent, models.SPEC, lambda n: noise(n + n // 9)),
    "calibrated": (calibrated, models.SPEC, noise),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_answers_are_those_of_a_process(kind: str, tmp_path: Path, runtime: Callable[..., Runtime]) -> None:
    make, spec, frame = KINDS[kind]
    made = make(tmp_path)
    frames = [frame(n) for n in range(24)]
    there = rows(runtime(made, spec, admission=block(4)), frames, None)
    here = rows(runtime(made, spec, worker="process", admission=block(4)), frames, None)
    same(there, here)


@pytest.mark.long
def test_tuned_and_swapped_it_is_the_same_too(tmp_path: Path, runtime: Callable[..., Runtime]) -> None:
    first, second = plus(tmp_path, 1), plus(tmp_path, 5)

    def change(it: Runtime) -> None:
        it.tune("found", threshold=1200)
        it.swap("plus", second)

    results = []
    for more in ({}, {"worker": "process"}):
        stages = [Stage("plus", first), Stage("found", models.brightest(tmp_path / "found"), reads="plus")]
        it = runtime(Pipeline(stages), models.SPEC, admission=block(4), **more)
        results.append(rows(it, [noise(n) for n in range(20)], change))
    same(*results)
    assert int(results[0][-1]["plus"][0, 0]) == int(results[0][-1].frame.pixels[0, 0]) + 5


def test_of_sliding_windows_each_frame_is_sent_once(tmp_path: Path, runtime: Callable[..., Runtime]) -> None:
    it = runtime(sliding(tmp_path), admission=block(4))
    link: Any = it._path.supervisor.link
    rows(it, [noise(n) for n in range(30)], None)
    assert link.sent_frames == 30


def test_packages_are_sent_once(
    tmp_path: Path, runtime: Callable[..., Runtime], box: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = images(tmp_path)
    rows(runtime(made, admission=block(4)), [noise(0)], None)
    stored = {path.name: path.stat().st_ino for path in box.store.iterdir()}
    assert {f"{stage.request.weights_sha256}.onnx" for stage in made.networks} == stored.keys()
    rows(runtime(made, admission=block(4)), [noise(0)], None)
    assert {path.name: path.stat().st_ino for path in box.store.iterdir()} == stored
