"""A snapshot: its pixels, the marks on it, and what its text chunks say."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onscope.view._wire import WireError, pack, unpack
from onscope.view.snapshot import COLOURS, About, Snapshots, coloured, png_of

FRAME = {"run": "r", "camera": "cam", "segment": 0, "seq": 17, "index": {"t": 17}, "labels": {}, "state": "done"}
SIDE = 400


def update(picture: np.ndarray, vectors: tuple[dict[str, Any], ...] = (), *more: np.ndarray) -> tuple[Any, Any]:
    view = {"id": 1, "image": "raw", "rect": [0, 0, 40, 40], "array": 0, "low": 100.0, "high": 900.0}
    head = {"frame": FRAME, "views": [view], "vectors": list(vectors), "tables": []}
    head, arrays = unpack(pack(head, [picture, *more]))
    return head, arrays


def opened(png: bytes) -> tuple[np.ndarray, dict[str, str]]:
    with Image.open(io.BytesIO(png)) as image:
        assert isinstance(image, Image.Image)
        image.load()
        return np.asarray(image.convert("RGB")), dict(image.text)  # type: ignore[attr-defined]


def on_sheet(sheet: np.ndarray) -> np.ndarray:
    return sheet[16 : 16 + SIDE, 16 : 16 + SIDE]


def test_the_picture_and_what_made_it() -> None:
    picture = np.full((SIDE, SIDE), 77, np.uint8)
    about = About({"denoise": {"name": "care", "sha256": "ab" * 32}}, {"denoise": "cpu"}, {"denoise": {"p": 1.5}}, 0.1)
    sheet, words = opened(png_of(*update(picture), about))
    assert (on_sheet(sheet)[:300] == 77).all()  # above the scale bar
    assert (on_sheet(sheet)[300:] == 233).any()
    told = json.loads(words["onscope"])
    assert told["frame"] == FRAME
    assert told["packages"] == {"denoise": {"name": "care", "sha256": "ab" * 32}}
    assert told["providers"] == {"denoise": "cpu"}
    assert told["parameters"] == {"denoise": {"p": 1.5}}
    assert told["pixel_size_um"] == 0.1
    assert told["views"] == [
        {"image": "raw", "rect": [0, 0, 40, 40], "contrast": [100.0, 900.0], "colours": "grey", "gamma": 1.0}
    ]
    assert words["Software"].startswith("onscope ")
    assert words["Creation Time"] == told["made"]


@pytest.mark.parametrize(("stored", "values"), [(500, None), (500, [0, 65535]), (32768, [0, 1000])])
def test_16_bits_take_the_contrast_of_the_view(stored: int, values: list[float] | None) -> None:
    head, arrays = update(np.full((SIDE, SIDE), stored, np.uint16))
    head["views"][0] |= {} if values is None else {"values": values}
    sheet, _ = opened(png_of(head, arrays, About()))
    assert (on_sheet(sheet) == 127).all()


@pytest.mark.parametrize("name", COLOURS)
def test_colour_maps_rise(name: str) -> None:
    ramp = coloured(np.arange(256, dtype=np.uint8)[None], name, 0, 255)[0].astype(int)
    assert len(np.unique(ramp, axis=0)) > 150
    assert ramp[0].sum() != ramp[-1].sum()


def test_labels_have_colours_of_their_own() -> None:
    shown = coloured(np.array([[0, 1, 2]], np.uint16), "grey", 0, 1, labels=True)
    assert not shown[0, 0].any()
    assert (shown[0, 1] != shown[0, 2]).any()


@pytest.mark.parametrize(
    ("vectors", "arrays", "places"),
    [
        (
            {"kind": "outlines", "starts": {"array": 1}, "points": {"array": 2}},
            [np.array([0, 4], np.uint32), np.array([[10, 10], [10, 20], [20, 20], [20, 10]], np.float32)],
            [(100, 150), (150, 200), (200, 150), (150, 100)],
        ),
        ({"kind": "boxes", "points": {"array": 1}}, [np.array([[10, 10, 20, 20]], np.float32)], [(100, 150)]),
        ({"kind": "spots", "points": {"array": 1}}, [np.array([[20, 20]], np.float32)], [(200, 220), (180, 200)]),
        (
            {"kind": "tails", "starts": {"array": 1}, "points": {"array": 2}},
            [np.array([0, 2], np.uint32), np.array([[10, 10], [10, 30]], np.float32)],
            [(100, 200), (100, 300)],
        ),
    ],
)
def test_vectors_lie_where_they_are(vectors: dict, arrays: list, places: list[tuple[int, int]]) -> None:
    told = {"id": 1, "table": "cells", **vectors}
    sheet, _ = opened(png_of(*update(np.zeros((SIDE, SIDE), np.uint8), (told,), *arrays), About()))
    shown = on_sheet(sheet).max(axis=2)
    for y, x in places:
        assert shown[y - 1 : y + 2, x - 1 : x + 2].max() > 60, (y, x)
    assert not shown[300:, :50].any()
    other = {**told, "id": 2}  # another view's
    sheet, _ = opened(png_of(*update(np.zeros((SIDE, SIDE), np.uint8), (other,), *arrays), About()))
    assert not on_sheet(sheet).any()


def test_an_update_that_is_none() -> None:
    with pytest.raises(WireError, match="cannot be drawn"):
        png_of({"frame": FRAME, "views": [{"id": 1}]}, [], About())
    with pytest.raises(WireError, match="no picture"):
        png_of({"frame": FRAME, "views": []}, [], About())


def test_snapshots_are_saved_under_names_of_their_own(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    names = {snapshots.save(b"png", FRAME) for _ in range(3)}
    assert len(names) == 3
    assert snapshots.names() == sorted(f"snapshots/{name}" for name in names)
    assert all((tmp_path / "snapshots" / name).read_bytes() == b"png" for name in names)
    assert all(name.startswith("frame-0-000017-") for name in names)


def test_without_a_recording_nothing_is_saved(tmp_path: Path) -> None:
    assert Snapshots(None).save(b"png", FRAME).endswith(".png")
    assert Snapshots(None).names() == []
