"""The overview of any pipeline: it opens, and shows what the recording holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onscope.runtime import FrameSpec
from onscope.runtime.drawing import Look, busiest, render
from onscope.runtime.record import Recording, open_recording, overview
from onscope.runtime.record._panels import panels_of
from onscope.runtime.record._panels_beside import plane_of

from ._made import MadeLedger, MadeSource, Row, made_result, noise, spots


def recorded(folder: Path, spec: FrameSpec, answers: dict[str, np.ndarray], **scales: float) -> Path:
    rows = []
    with Recording(folder) as recording:
        for frame in recording.tap(MadeSource(spec, 3)).frames():
            recording.add(made_result(frame, answers, **scales))
            rows.append(Row(frame.id, "done", ""))
        recording.finish(MadeLedger(rows))
    return folder


@pytest.mark.parametrize(
    ("shape", "dtype", "answers", "titles"),
    [
        ((40, 60), "uint16", {"clean": noise((40, 60), "float32", 1), "spots": spots(5, 2)}, ["raw", "clean", "spots"]),
        ((64, 48, 3), "uint8", {"grey": noise((64, 48), "uint8", 1)}, ["raw", "grey"]),
        ((33, 33), "float32", {"cells": np.arange(33 * 33, dtype="i4").reshape(33, 33)}, ["raw", "cells"]),
        ((20, 300), "uint8", {"classes": np.array([0.2, 0.8], "f4")}, ["raw"]),
        ((16, 16), "uint16", {f"s{n}": noise((32, 32), "uint16", n) for n in range(8)}, ["raw"]),
    ],
)
def test_any_pipeline(
    tmp_path: Path, shape: tuple[int, ...], dtype: str, answers: dict[str, np.ndarray], titles: list[str]
) -> None:
    spec = FrameSpec(shape, dtype, "yxs" if len(shape) == 3 else "yx", pixel_size_um=0.1)
    scales = {name: 2.0 for name, answer in answers.items() if answer.shape == (32, 32)}
    run = open_recording(recorded(tmp_path / "run", spec, answers, **scales))
    shown = [panel.title for panel in panels_of(run)]
    for title, panel in zip(titles, shown, strict=False):
        assert panel.startswith(title)
    path = overview(run, tmp_path / "overview.png")
    picture = np.asarray(Image.open(path))
    assert picture.shape[1] >= 1500
    assert picture.std() > 5


def test_a_run_without_results(tmp_path: Path) -> None:
    with Recording(tmp_path / "run") as recording:
        list(recording.tap(MadeSource(FrameSpec((30, 30)), 2)).frames())
    assert overview(open_recording(tmp_path / "run"), tmp_path / "overview.png").exists()


def test_a_run_without_frames(tmp_path: Path) -> None:
    with Recording(tmp_path / "run"):
        pass
    assert overview(open_recording(tmp_path / "run"), tmp_path / "overview.png").exists()


def test_points_are_drawn_where_they_are(tmp_path: Path) -> None:
    table = np.array([(20.0, 50.0, 1.0)], [("y", "f4"), ("x", "f4"), ("score", "f4")])
    dark = np.zeros((64, 64), np.uint16)
    folder = recorded(tmp_path / "run", FrameSpec((64, 64)), {"dark": dark, "spots": table})
    marked = panels_of(open_recording(folder))[-1]
    assert marked.points is not None
    np.testing.assert_array_equal(marked.points, [[20.0, 50.0]])


@pytest.mark.parametrize(
    ("shape", "scale", "shown"),
    [
        ((3, 20, 30), 1.0, ", plane 1 of 3"),
        ((5, 20, 30), 1.0, ", plane 2 of 5"),
        ((3, 40, 60), 2.0, ", plane 1 of 3"),
        ((20, 30, 5), 1.0, ""),
        ((20, 30, 3), 1.0, ""),
        ((20, 30), 1.0, ""),
        ((3, 40, 60), 1.0, ""),
    ],
)
def test_of_a_stack_the_results_own_plane_is_shown(shape: tuple[int, ...], scale: float, shown: str) -> None:
    image = noise(shape, "float32", 0)
    found, words = plane_of(image, {"frames": 3, "target": 1}, np.zeros((20, 30)), scale)
    assert words == shown
    np.testing.assert_array_equal(found, image[int(words.split()[2])] if words else image)


def test_a_stack_of_answers_is_drawn(tmp_path: Path) -> None:
    run = open_recording(recorded(tmp_path / "run", FrameSpec((40, 60)), {"deep": noise((4, 40, 60), "float32", 1)}))
    assert [panel.title for panel in panels_of(run)][1] == "deep, plane 2 of 4"
    assert overview(run, tmp_path / "overview.png").exists()


def test_transmitted_light_is_grey_and_dark_frames_glow() -> None:
    rng = np.random.default_rng(0)
    bright = (5500 + 300 * rng.normal(size=(64, 64))).astype(np.uint16)
    bright[20:24] += 1500  # an edge that shines
    dark = rng.poisson(100, (64, 64)).astype(np.uint16)
    dark[20:30, 20:30] += 2000
    assert not Look.of(bright).glow
    assert Look.of(dark).glow


def test_enlarged_pixels_stay_squares() -> None:
    image = np.array([[0, 1000], [2000, 4000]], np.uint16)
    shown = render(image, Look(0, 4000, False), 40, 40)
    assert {tuple(colour) for colour in shown.reshape(-1, 3)} == {(v, v, v) for v in (0, 63, 127, 255)}


@pytest.mark.parametrize("fill", [0, np.nan, np.inf])
def test_flat_and_broken_images_are_shown(fill: float) -> None:
    image = np.full((9, 9), fill, np.float32)
    assert render(image, Look.of(image), 20, 20).dtype == np.uint8


def test_the_crop_is_where_the_contrast_is() -> None:
    image = noise((200, 300), "uint8", 0).astype(np.float32) / 255
    image[140:150, 230:240] += 50
    y, x = busiest(image, 40)
    assert y <= 140 <= y + 30
    assert x <= 230 <= x + 30
