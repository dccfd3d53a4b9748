"""Quality of the network for nuclei: instances on specimens that training never saw, and on images of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from scipy import ndimage

from onscope.runtime import Package
from onscope.runtime.decode import decoder
from onscope.runtime.package import processed
from onscope.specimen.scenarios import Scenario

from ._matching import OVERLAPS, Matched, matched
from ._stars import GRID, RAYS
from .recipes import NUCLEI, Nuclei, Part, Plan, Recipe, Shot, made
from .recipes._nuclei import pairs

Array = npt.NDArray[Any]
Finder = Callable[[Array], npt.NDArray[np.int32]]
PACKAGE = "nuclei-cells"
DECODED = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": RAYS, "grid": (GRID, GRID), "b": 0}
"""What the package asks of its decoder. Both thresholds were chosen on specimens of the validation part."""
KINDS = ("dividing-cells", "rare-event", "wound", "label-free", "dying cells", "as in training")
HOUR_S = 3600.0
_SHARES = (*(f"F1 {least:g}" for least in OVERLAPS), *(f"AP {least:g}" for least in OVERLAPS))
COLUMNS = ("nuclei", *_SHARES, "IoU", "PQ", "watershed F1 0.5")
WIDTHS_PX = (8.0, 16.0, 32.0, 64.0)
REAL = {
    "img2d.tif": "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750",
    "mask2d.tif": "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f",
}
"""StarDist's example image and its labels (BSD-3-Clause), by sha256; never trained on, and no part of onscope."""


def as_it_is(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """The scenario's own place, frame, light and camera, at a random time within an hour."""
    asked = scenario.acquisition
    return Plan(scenario, (Shot(float(rng.uniform(0, HOUR_S)), asked.stage_um, "nuclei", asked.shape),))


def dying(scenario: Scenario, rng: np.random.Generator) -> Plan:
    """The same, of cells that die within hours."""
    plan = as_it_is(scenario, rng)
    assert scenario.sample.cells is not None
    cells = replace(scenario.sample.cells, deaths_per_hour=0.2)
    return replace(plan, scenario=replace(scenario, sample=replace(scenario.sample, cells=cells)))


def held_out(kind: str, count: int, first: int = 0) -> Iterator[Nuclei]:
    """Fields of the held-out part's `count` specimens from number `first` on: one each, or four "as in training"."""
    if kind == "as in training":
        recipe = NUCLEI
    elif kind == "dying cells":
        recipe = Recipe(kind, "dividing-cells", dying, pairs)
    else:
        recipe = Recipe(kind, kind, as_it_is, pairs)
    for number in range(first, first + count):
        yield from made(recipe, Part.HELD_OUT, number)


class StarGraph:
    """A package's graph and decoder for one frame at a time: uint16 (y, x) to labels, int32 (y, x)."""

    def __init__(self, folder: Path, threads: int = 2) -> None:
        package = Package.load(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(str(package.weights), options, providers=["CPUExecutionProvider"])
        self._input, self._output = package.inputs[0], package.outputs[0]
        self._steps = (package.inputs[0].steps, package.outputs[0].steps)
        self._decode = decoder(self._output.axes, package.settings, self._steps[1])

    def __call__(self, frame: Array) -> npt.NDArray[np.int32]:
        sizes = [axis.size for axis in self._input.described if axis.id in ("y", "x")]
        more = [(0, size.at_least(n) - n) for size, n in zip(sizes, frame.shape, strict=True)]
        given = np.pad(frame, more, mode="symmetric")[None, None]
        given = processed(self._steps[0], given, self._input.axes, {self._input.name: (given, self._input.axes)})
        (answer,) = self._session.run(None, {self._input.graph_name: given})
        labels, _ = self._decode(np.asarray(answer))
        return np.ascontiguousarray(labels[: frame.shape[0], : frame.shape[1]], np.int32)


def watershed(frame: Array, width_px: float) -> npt.NDArray[np.int32]:
    """What is usual without a network: smooth, threshold by Otsu, part at the necks by the distance to the border.

    `width_px` says how far apart the middles of nuclei are at least.
    """
    from skimage.filters import threshold_otsu
    from skimage.segmentation import watershed as flooded

    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1.5)
    mask = smooth > threshold_otsu(smooth)  # type: ignore[no-untyped-call]
    inside = cv2.GaussianBlur(ndimage.distance_transform_edt(mask).astype(np.float32), (0, 0), width_px / 8)
    tops = (inside == ndimage.maximum_filter(inside, round(width_px))) & mask
    parted = flooded(-inside, ndimage.label(tops)[0], mask=mask)  # type: ignore[no-untyped-call]
    return np.asarray(parted, np.int32)


def best_watershed(field: Nuclei) -> Matched:
    """With the width that suits the frame best, the truth known."""
    tried = (matched(field.labels, watershed(field.counts, width)) for width in WIDTHS_PX)
    return max(tried, key=lambda counts: counts.f1(0.5))


def row(kind: str, find: Finder, fields: list[Nuclei]) -> list[str]:
    """One row of the table: all instances of all fields counted together."""
    counts = reduce(add, (matched(one.labels, find(one.counts)) for one in fields))
    usual = reduce(add, map(best_watershed, fields))
    return [f"{kind} ({len(fields)} frames)", *_numbers(counts), f"{usual.f1(0.5):.3f}"]


def table(folder: Path, count: int, real: Path | None = None) -> list[list[str]]:
    """The rows of all kinds, `count` specimens of each, and with `real` of the image of `read_real`.

    `folder` is that of the packages.
    """
    find = StarGraph(folder / PACKAGE)
    rows = [row(kind, find, list(held_out(kind, count))) for kind in KINDS]
    return rows if real is None else [*rows, row("real nuclei", find, [read_real(real)])]


def read_real(folder: Path) -> Nuclei:
    """img2d.tif and mask2d.tif from stardist/data/images of StarDist's repository: 125 labelled nuclei.

    The pixel's size is not known (NaN). Raises ValueError for other files.
    """
    import tifffile

    for name, sha256 in REAL.items():
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
            raise ValueError(
                f"found another {name} in {folder}, expected that of StarDist's repository: "
                "take it from stardist/data/images"
            )
    image, labels = (tifffile.imread(folder / name) for name in REAL)
    return Nuclei(image, labels.astype(np.int32), float("nan"))


def _numbers(found: Matched) -> list[str]:
    values = [found.f1(least) for least in OVERLAPS] + [found.average_precision(least) for least in OVERLAPS]
    return [str(found.true), *(f"{value:.3f}" for value in (*values, found.mean_overlap(), found.panoptic()))]
