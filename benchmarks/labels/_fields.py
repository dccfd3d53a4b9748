"""Nuclei of specimens with their truth, that neither training nor any choice has seen, and of real images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export.zoo._nuclei_quality import as_it_is, dying
from onscope.export.zoo.recipes import Field, Nuclei, Part, Recipe, Shot, made
from onscope.export.zoo.recipes import Plan as Shots
from onscope.export.zoo.recipes._instances import LEAST_PX
from onscope.export.zoo.recipes._nuclei import pairs
from onscope.specimen.scenarios import Scenario, read_scenario

from ._plan import Plan

Array = npt.NDArray[Any]
HOUR_S = 3600.0
KINDS = ("dividing-cells", "rare-event", "wound", "label-free", "photo-toxicity", "dying cells")
CHANNEL = "nuclei"


def kinds(plan: Plan) -> tuple[str, ...]:
    """The kinds that are looked at."""
    return plan.kinds or KINDS


def harmed(scenario: Scenario, rng: np.random.Generator) -> Shots:
    """Photo-toxicity's cells after the blue light of up to 30 of its frames, and as long as those take; their nuclei
    are seen as in dividing-cells."""
    asked = scenario.acquisition
    shown = read_scenario("dividing-cells").channels[CHANNEL]
    channels = {**scenario.channels, CHANNEL: shown}
    frames = int(rng.integers(1, 30))
    seconds = frames * scenario.channels["bodies"].exposure_ms / 1000
    # Light falls on the whole field, however little of it is read.
    light = Shot(0.0, asked.stage_um, "bodies", (32, 32), exposure_s=seconds)
    end = Shot(asked.interval_s * frames, asked.stage_um, CHANNEL, asked.shape)
    return Shots(replace(scenario, channels=channels), (light, end))


def seen(field: Field, rng: np.random.Generator) -> list[Nuclei]:
    """The nuclei of shots of them; nothing of the others."""
    return pairs(field, rng) if field.shot.channel == CHANNEL else []


RECIPES = {
    **{kind: Recipe(kind, kind, as_it_is, seen) for kind in KINDS[:4]},
    "photo-toxicity": Recipe("photo-toxicity", "photo-toxicity", harmed, seen),
    "dying cells": Recipe("dying cells", "dividing-cells", dying, seen),
}


def fields(kind: str, plan: Plan) -> Iterator[Nuclei]:
    """One field of each seed's specimen; of its middle where the plan has smaller sides."""
    for number in range(plan.seeds):
        (field,) = made(RECIPES[kind], Part.HELD_OUT, number)
        if plan.side is not None:
            corner = [(size - plan.side) // 2 for size in field.counts.shape]
            part = tuple(slice(first, first + plan.side) for first in corner)
            labels = field.labels[part]
            slivers = np.bincount(labels.ravel()) < LEAST_PX
            labels = np.where(slivers[labels], 0, labels).astype(np.int32)
            field = Nuclei(np.ascontiguousarray(field.counts[part]), labels, field.pixel_um)
        yield field


def shared() -> Path | None:
    """The folder of real images that ONSCOPE_SHARED_DATA names; None where there is none."""
    folder = os.environ.get("ONSCOPE_SHARED_DATA")
    return Path(folder) if folder and Path(folder).is_dir() else None


REAL = {
    "nuclei_with_labels_stardist/img2d.tif": "f9ccc1571b92c861ff87e28463068b43f61bd47357ed0503f711e5cd1eb97750",
    "nuclei_with_labels_stardist/mask2d.tif": "59ad5e820b7982ca9d13e946fa6e7f64e2714899e00a2ae6c69aa79aad53d46f",
    "cells_mcf10a_pyclm/mcf10a.tif": "164762e3288fdbafc088a21a174390dfbb28e5209f098e280530b9b65d01c2e3",
    "cells_mcf10a_pyclm/mcf10a_seg.tif": "c0cf775032ec05ef9647734a55cdd3e5b00bcbbcfc29103db6eff783a884b9e9",
    "spots_hybiss_spotiflow/img_hybiss_2d.tif": "debc9a03facb2c8f46b9bbf17ae74e6033c4d87df5abba31cc2a16f0833d3671",
}
"""By sha256; never trained on, and no part of onscope. The bacteria's are read as they are."""


def real(name: str) -> Array | None:
    """A real image; None where it is not. Raises ValueError for another one of that name."""
    import tifffile

    folder = shared()
    if folder is None or not (folder / name).is_file():
        return None
    content = (folder / name).read_bytes()
    if name in REAL and hashlib.sha256(content).hexdigest() != REAL[name]:
        raise ValueError(f"found another {name} in {folder}, expected the one of {REAL[name][:12]}...: take it anew")
    return np.asarray(tifffile.imread(folder / name))


def enlarged(image: Array, labels: bool, times: int = 2) -> Array:
    """An image with pixels of half the side, for nuclei of less than 10 pixels: cubic, or the same label."""
    size = image.shape[1] * times, image.shape[0] * times
    if labels:
        return np.asarray(cv2.resize(image.astype(np.int32), size, interpolation=cv2.INTER_NEAREST))
    wide = cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.clip(np.rint(wide), 0, 65535).astype(np.uint16)
