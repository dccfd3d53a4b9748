"""Raw frames as OME-Zarr, read by zarr-python alone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import zarr

from onscope.runtime.record.formats import RawAbout

from ._series import Element, RawSeriesTests


class TestOmeZarr(RawSeriesTests):
    name = "ome-zarr"

    def open_alone(self, about: RawAbout) -> Mapping[Element, np.ndarray[Any, Any]]:
        array = zarr.open_group(about.path, mode="r")["0"]
        whole = np.asarray(array)
        if about.spec.axes == "yxs":  # the samples are the axis c, ahead of z
            whole = np.moveaxis(whole, 1, -1)
        sizes = whole.shape[: len(about.leading)]
        return {at: whole[at] for at in product(*(range(size) for size in sizes))}
