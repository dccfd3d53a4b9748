"""Fluorescence: molecules in slices of the sample become photons on the camera."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from .._view import Layer, Sample, View
from ._blur import blurred
from ._fluorophore import Fluorophore
from ._grid import Grid, enclosing
from ._illumination import Illumination
from ._lens import Lens
from ._pattern import Stripes
from ._transfer import Transfer, confocal, widefield

if TYPE_CHECKING:
    from ._microscope import Microscope

Array = npt.NDArray[Any]

MEDIUM_UM = 10.0
"""Height of the medium whose own light is seen, in um: chosen, a few cells high."""


def photons(
    scope: Microscope,
    sample: Sample,
    view: View,
    dye: str,
    z_um: float,
    light: Illumination,
    exposure_s: float,
    fluorophore: Fluorophore,
    at_um: tuple[float, float],
) -> Array:
    """Mean photons per pixel of `view`, float32, before vignetting and dust (see `Microscope.image`)."""
    lens = scope.lens(fluorophore.emission_nm)
    fine = _refined(view, lens, light)
    large, inside = enclosing(fine)
    grid = Grid(large.shape, large.pixel_um)
    at_um = (at_um[0] + large.centre_um[0] - view.centre_um[0], at_um[1] + large.centre_um[1] - view.centre_um[1])
    step = 2 * lens.step_um
    see = _seen(scope, lens, light, round(z_um / step) * step)
    planes: dict[float, Array] = {}
    for layer, weight in zip(*_weighted(scope, sample.layers(large, dye), light), strict=True):
        if weight < 1e-4:
            continue
        plane = round(layer.z_um / step) * step
        amount = layer.amount if weight == 1 else layer.amount * np.float32(weight)
        if plane in planes:
            planes[plane] += amount
        else:
            planes[plane] = amount
    medium = np.float32(scope.medium_per_um3 * large.pixel_um**2 * _medium_um(scope, lens, light))

    def lit(defocus_um: float) -> Array:
        return light.relative(large.shape, large.pixel_um, at_um=at_um, index=scope.sample_index, defocus_um=defocus_um)

    if light.pattern is None:  # smooth over what a point spreads to: it may come after the blur
        image = blurred(((amount, see(z)) for z, amount in planes.items()), grid)[inside]
        image += medium
        np.maximum(image, 0, out=image)  # rounding leaves tiny negative numbers in the dark
        image *= lit(0.0)[inside]
    else:
        image = blurred(((amount * lit(z - z_um), see(z)) for z, amount in planes.items()), grid)[inside]
        haze = _haze(scope, light, large, at_um)
        if scope.mode == "tirf":
            haze = np.maximum(blurred([(haze, see(0.0))], grid), 0)
        image += medium * haze[inside]
        np.maximum(image, 0, out=image)
    fluence_j_cm2 = light.mean_w_cm2 * exposure_s
    emitted = fluence_j_cm2 * fluorophore.emitted_per_j_cm2(light.wavelength_nm)
    scale = emitted * scope.objective.collection_from(scope.sample_index)
    if fine is not view:
        ratio = fine.shape[0] // view.shape[0]
        image, scale = cv2.resize(image, view.shape[::-1], interpolation=cv2.INTER_AREA), scale * ratio**2
    image *= np.float32(scale)
    return np.asarray(image)


def _haze(scope: Microscope, light: Illumination, view: View, at_um: tuple[float, float]) -> Array:
    # The light on the medium as the camera sees it: nearly all of the medium is out of focus, where stripes are washed
    # out and a mask is unsharp; in an evanescent field all of it is in focus.
    if scope.mode == "tirf":
        return light.relative(view.shape, view.pixel_um, at_um=at_um, index=scope.sample_index)
    light = replace(light, pattern=None) if isinstance(light.pattern, Stripes) else light
    how: dict[str, Any] = {"at_um": at_um, "index": scope.sample_index, "defocus_um": 0.5 * MEDIUM_UM}
    return light.relative(view.shape, view.pixel_um, **how)


def _refined(view: View, lens: Lens, light: Illumination) -> View:
    # Light times sample holds the sum of their frequencies, and the pixels must hold all that the lens passes of it.
    if isinstance(light.pattern, Stripes):
        needed = (lens.cutoff_per_um + 1 / light.pattern.period_um) * 2 * view.pixel_um
        if needed > 1:
            ratio = min(math.ceil(needed), 3)
            return View(view.centre_um, (view.shape[0] * ratio, view.shape[1] * ratio), view.pixel_um / ratio)
    return view


def _seen(scope: Microscope, lens: Lens, light: Illumination, focus_um: float) -> Callable[[float], Transfer]:
    if scope.mode != "confocal":
        return lambda z: widefield(lens, z, focus_um)
    excitation = scope.lens(light.wavelength_nm)
    return lambda z: confocal(lens, excitation, scope.pinhole_airy, z, focus_um)


def _weighted(scope: Microscope, layers: list[Layer], light: Illumination) -> tuple[list[Layer], list[float]]:
    if scope.mode != "tirf":
        return layers, [1.0] * len(layers)
    depth, strength = scope.evanescent(light.wavelength_nm)
    z = [layer.z_um for layer in layers]
    # a slice reaches halfway to its neighbours, the lowest one to the coverslip: its mean light
    ends = [0.0, *(0.5 * (a + b) for a, b in itertools.pairwise(z)), z[-1] + 0.5 * (z[-1] - z[-2])] if z[1:] else []
    weights = []
    for i, height in enumerate(z):
        low, high = (ends[i], ends[i + 1]) if ends else (height, height)
        if high - low > 0.02 * depth:
            mean = depth / (high - low) * (math.exp(-low / depth) - math.exp(-high / depth))
        else:
            mean = math.exp(-height / depth)
        weights.append(strength * mean)
    return layers, weights


@lru_cache(maxsize=64)
def _medium_um(scope: Microscope, lens: Lens, light: Illumination) -> float:
    if scope.mode == "tirf":
        depth, strength = scope.evanescent(light.wavelength_nm)
        return depth * strength
    if scope.mode == "confocal":
        middle, step = 0.5 * MEDIUM_UM, 0.25
        see = _seen(scope, lens, light, middle)
        return step * sum(float(see(z).values[0]) for z in np.arange(0, MEDIUM_UM, step))
    return MEDIUM_UM
