"""Images with channels, planes and labels: what their metadata says, read by others' tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from yaozarrs import validate_zarr_store

from onscope.runtime import RecordError
from onscope.runtime.record import ImageWriter, Layout, list_labels

SHAPE = (2, 3, 8, 10)


def written(path: Path, shape: tuple[int, ...], layout: Layout, dtype: str = "uint16", count: int = 2) -> np.ndarray:
    rng = np.random.default_rng(1)
    elements = rng.integers(0, 1000, (count, *shape)).astype(dtype)
    image = ImageWriter(path, shape, dtype, layout=layout, pixel_size_um=0.25, expected=5)
    for element in elements:
        image.write(element)[1].result()
    image.close(count)
    return elements


def test_channels_planes_and_labels_are_valid_ome_zarr(tmp_path: Path) -> None:
    path = tmp_path / "frames.ome.zarr"
    layout = Layout("czyx", 60.0, 0.5, ("nuclei", "phase"), ((100, 900), (50, 500.5)))
    elements = written(path, SHAPE, layout)
    folder = list_labels(path, ["bodies"])
    ids = written(folder / "bodies", SHAPE[-2:], Layout("yx", 60.0, labels=True), "int32")
    validate_zarr_store(str(path))
    validate_zarr_store(str(folder / "bodies"))
    group = zarr.open_group(path, mode="r")
    array: Any = group["0"]
    np.testing.assert_array_equal(array[:], elements, strict=True)
    assert array.chunks == (1, 1, 1, 8, 10)
    ome: Any = group.attrs["ome"]
    (scales,) = ome["multiscales"]
    assert [axis["name"] for axis in scales["axes"]] == list("tczyx")
    assert [axis.get("unit") for axis in scales["axes"]] == ["second", None, *["micrometer"] * 3]
    assert scales["datasets"][0]["coordinateTransformations"][0]["scale"] == [60.0, 1.0, 0.5, 0.25, 0.25]
    assert [channel["label"] for channel in ome["omero"]["channels"]] == ["nuclei", "phase"]
    assert ome["omero"]["channels"][1]["window"] == {"min": 0, "max": 65535, "start": 50, "end": 500.5}
    labels: Any = zarr.open_group(folder, mode="r")
    assert labels.attrs["ome"]["labels"] == ["bodies"]
    np.testing.assert_array_equal(labels["bodies/0"][:], ids, strict=True)
    assert labels["bodies"].attrs["ome"]["image-label"]["source"] == {"image": "../../"}


@pytest.mark.parametrize(
    ("layout", "shape", "said"),
    [
        (Layout("xy"), (4, 5), "expected 'yx'"),
        (Layout("cyx"), (4, 5), "expected 'yx'"),
        (Layout("cyx", channels=("one",)), (2, 4, 5), "one name per channel"),
        (Layout("yx", channels=("one",)), (4, 5), "one name per channel"),
        (Layout("cyx", channels=("a", "b"), windows=((0, 1),)), (2, 4, 5), "one each"),
    ],
)
def test_axes_that_do_not_fit_are_refused(tmp_path: Path, layout: Layout, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(RecordError, match=said):
        ImageWriter(tmp_path / "image", shape, "uint16", layout=layout)
    assert not (tmp_path / "image").exists()
