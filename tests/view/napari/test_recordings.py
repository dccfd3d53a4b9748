"""Recordings of real runs as layers of napari: in their places, read when looked at, with where they come from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed: `make test-napari` installs it and runs these tests")

from onscope.runtime import Measure, Pipeline, RecordError, Runtime, Stage, Track, block
from onscope.runtime.record import open_recording
from onscope.view.napari import read_layers, reader_of
from tests import models
from tests.live.test_hosted import frame
from tests.live.test_labels import circles

Until = Callable[[Callable[[], Any]], Any]
FRAMES = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels, objects and tracks of two objects, of which one is not there for a while; 0.5 um pixels."""
    made = tmp_path_factory.mktemp("recorded")
    stages = [Stage("nuclei", circles(made / "circles")), Measure("cells", of="nuclei")]
    pipeline = Pipeline([*stages, Track("tracks", of="cells", max_distance=10, gap=2)])
    with Runtime(pipeline, record=made / "run", worker="thread", admission=block(2)) as it:
        for n in range(FRAMES):
            there = [(52, 60, 12)] if n in (4, 5) else [(20, 20 + n, 9), (52, 60, 12)]
            it.submit(frame(n, *there))
        assert it.drain(60)
    return made / "run"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two channels that take turns over time, with answers of the same and of twice the pixels; some are lost."""
    made = tmp_path_factory.mktemp("images")
    stages = [Stage("plus", models.plus_one(made / "plus")), Stage("double", models.double(made / "d"), reads="plus")]
    with Runtime(Pipeline(stages), record=made / "run", worker="thread", admission=block(2)) as it:
        for n in range(6):
            if n != 3:
                where = {"t": n // 2, "c": n % 2}
                one = models.frame(n, index=where, labels={"c": ("DAPI", "FITC")[n % 2]}, pixel_size_um=0.25)
                it.submit(one)
        assert it.drain(60)
    return made / "run"


def layers(folder: Path) -> dict[str, tuple[Any, dict[str, Any], str]]:
    return {layer[1]["name"]: layer for layer in read_layers(str(folder))}


def test_only_recordings_are_read(folder: Path, tmp_path: Path) -> None:
    assert reader_of(str(folder)) is not None
    assert reader_of([str(folder / "recording.json")]) is not None
    assert reader_of([str(folder), str(folder)]) is None
    assert reader_of(str(tmp_path)) is None
    assert reader_of(str(folder / "methods.md")) is None
    (tmp_path / "recording.json").write_text("{}")
    with pytest.raises(RecordError):
        read_layers(str(tmp_path))


def test_labels_objects_and_tracks(folder: Path) -> None:
    found = layers(folder)
    assert {name: layer[2] for name, layer in found.items()} == {
        "raw": "image", "nuclei": "labels", "cells": "points", "tracks": "tracks",
    }  # fmt: skip
    run = open_recording(folder)
    labels = np.asarray(found["nuclei"][0])
    assert labels.shape == (FRAMES, 72, 96)
    assert np.array_equal(labels[4], run["nuclei"][0][4])
    places, given, _ = found["cells"]
    assert given["scale"] == [1.0, 0.5, 0.5]
    assert {layer[1]["units"] for layer in found.values()} == {("pixel", "um", "um")}
    assert {layer[1]["axis_labels"] for layer in found.values()} == {("t", "y", "x")}
    assert [int((places[:, 0] == t).sum()) for t in range(FRAMES)] == [2, 2, 2, 2, 1, 1, 2, 2]
    assert len(given["features"]["area"]) == len(places) == 14
    t, y, x = np.round(places).astype(int).T
    assert np.array_equal(labels[t, y, x], given["features"]["label"])  # each point lies in its object
    tracks, given, _ = found["tracks"]
    assert sorted(set(tracks[:, 0])) == [1, 2]
    assert tracks.shape == (14, 4)
    assert given["metadata"]["onscope"]["stage"]["kind"] == "track"


def test_images_by_channel_with_what_is_missing(images: Path) -> None:
    found = layers(images)
    assert set(found) == {"raw DAPI", "raw FITC", "plus DAPI", "plus FITC", "double DAPI", "double FITC"}
    data, given, _ = found["raw FITC"]
    assert data.shape == (3, 48, 64)
    assert np.array_equal(np.asarray(data)[:, 0, 0], [101, 0, 105])
    assert given["metadata"]["onscope"]["missing"] == 1
    assert given["scale"] == [1.0, 0.25, 0.25]
    data, given, _ = found["double DAPI"]
    assert np.asarray(data[2]).shape == (96, 128)
    assert (np.asarray(data[2]) == 105).all()
    assert given["scale"] == [1.0, 0.125, 0.125]
    assert given["translate"] == [0.0, -0.0625, -0.0625]
    told = given["metadata"]["onscope"]
    assert told["image"]["provenance"]["package"]
    assert told["versions"]["onscope"]
    assert told["folder"] == str(images.resolve())


def test_nothing_is_read_before_it_is_looked_at(images: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(images, copy)
    data = layers(copy)["plus DAPI"][0]
    chunks = copy / "plus.ome.zarr" / "0" / "c"
    shutil.rmtree(chunks / "2")
    shutil.copytree(chunks / "1", chunks / "2")
    assert (np.asarray(data[2]) == 103).all()  # what stands there now


def test_a_run_that_goes_on_opens(tmp_path: Path, until: Until) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "p"))])
    with Runtime(pipeline, record=tmp_path / "run", worker="thread") as it:
        numbers = count()

        def saved() -> bool:
            """Frames and rows reach the disk some at a time."""
            it.submit(models.frame(next(numbers)))
            assert it.drain(60)
            return {"raw", "plus"} <= set(layers(tmp_path / "run"))

        until(saved)
        assert (np.asarray(layers(tmp_path / "run")["plus"][0][0]) == 101).all()


@pytest.mark.parametrize("which", ["folder", "images"])
def test_napari_opens_them(which: str, viewer: Any, plugin: None, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(which)
    opened = viewer.open(str(path), plugin="onscope")
    assert {layer.name for layer in opened} == set(layers(path))
    viewer.dims.set_point(0, 2)
    raw = next(layer for layer in opened if layer.name.startswith("raw"))
    for layer in opened:
        assert np.allclose(layer.extent.world[1, -2:], raw.extent.world[1, -2:], atol=raw.extent.world[1, -1] / 2)
    assert raw.metadata["onscope"]["folder"] == str(path.resolve())
