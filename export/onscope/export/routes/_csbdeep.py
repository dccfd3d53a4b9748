"""The route of model folders of CSBDeep: CARE networks in two and three dimensions, and Noise2Void's.

Weigert et al., Content-Aware Image Restoration, Nature Methods 2018; Krull, Buchholz and Jug, Noise2Void, CVPR 2019.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

from onscope.runtime import ExportError
from onscope.runtime.package import Step

from .. import _steps
from .._original import Stated
from ..csbdeep_folder import Care, open_network, read_care, with_named_outputs
from ..keras_tf import KerasNetwork
from . import Asked, read_config

LOW, HIGH = 2.0, 99.8
"""Percentiles of CSBDeep's PercentileNormalizer, which `CARE.predict` uses unless it is told otherwise."""
EPS = 1e-20
LEAST, FLAT_SIDE, DEEP_SIDE = 16, 256, 64
"""Of a simulated frame: planes, and pixels along y and x of an image and of a stack; rounded up to the step."""
MOST_VALUES = 1 << 28
CARE_PAPER = {
    "text": "Weigert et al.: Content-aware image restoration. Nature Methods 15, 2018",
    "doi": "10.1038/s41592-018-0216-7",
}
N2V_PAPER = {
    "text": "Krull, Buchholz, Jug: Noise2Void, learning denoising from single noisy images. CVPR 2019",
    "doi": "10.1109/CVPR.2019.00223",
}


def load(source: Path, asked: Asked) -> KerasNetwork:
    """As `load_csbdeep`."""
    return load_csbdeep(source)


def load_csbdeep(folder: Path) -> KerasNetwork:
    """The network of a folder with config.json and weights in HDF5; raises ExportError, one sentence.

    A probabilistic network has two outputs, `mean` and `scale` (of a Laplace distribution for every pixel).
    """
    if not folder.is_dir():
        raise ExportError(
            f"found the file {folder.name}, expected the folder of config.json and the weights: name that"
        )
    care = read_care(read_config(folder))
    opened = open_network(folder, care)
    kind = "CARE" if care.means is None else "N2V"
    return KerasNetwork(
        with_named_outputs(care, opened.model),
        f"the {kind} folder {folder.name} ({opened.weights})",
        opened.sha256,
        stated(care, opened.notes),
        opened.tools,
    )


def stated(care: Care, notes: tuple[str, ...] = ()) -> Stated:
    """Axes, sizes, normalisation and its undoing, as far as the folder and CSBDeep's defaults say them."""
    letters = tuple(letter for letter in care.axes if letter not in "bc")
    two = care.probabilistic
    pre, post, said = _noise2void(care) if care.means is not None else _care(care, letters)
    outputs = ("mean", "scale") if two else ("image",)
    back = care.means is None and care.channels_in == care.channels_out
    names = tuple(f"channel{number}" for number in range(care.channels_in)) if care.channels_in > 1 else ()
    denoises = care.channels_in == care.channels_out
    return Stated(
        axes=care.axes,
        output_axes=(care.axes,) * (2 if two else 1),
        output_names=outputs,
        channel_names=names,
        pre=pre,
        post=(post,) * (2 if two else 1) if post else (),
        minimum=care.step * -(-LEAST // care.step),
        step=care.step,
        fixed=any(size is not None for size in care.sizes) or None,
        shape=_shape(care, letters),
        settings={"denormalise": dict(zip(outputs, ("values", "spread"), strict=False))} if back else {},
        cite=(CARE_PAPER, N2V_PAPER) if care.means is not None else (CARE_PAPER,),
        tags=("csbdeep", "unet", *(("denoising",) if denoises else ("image-restoration",)), f"{len(letters)}d"),
        notes=(*said, *notes),
    )


def _care(care: Care, letters: tuple[str, ...]) -> tuple[tuple[Step, ...], tuple[Step, ...], tuple[str, ...]]:
    pre = (_steps.percentiles(LOW, HIGH, _steps.ids("".join(letters)), EPS), _steps.cast("float32"))
    notes = [
        f"frames are normalised to their percentiles {LOW:g} and {HIGH:g}, each channel by itself: CSBDeep's default, "
        "which the folder does not keep (--normalise states another)"
    ]
    if care.channels_in == care.channels_out:
        notes.append(
            "live answers are mapped back from these percentiles to the frame's own units, as CARE.predict does it; "
            "BioImage.IO has no step for it, so other readers of the package give values in units of percentiles"
        )
    else:
        notes.append("values come in units of the percentiles (0 and 1) of what the network was trained on")
    if "z" in letters or len(letters) == 2:
        notes.append(
            "folders of IsotropicCARE and UpsamplingCARE look the same: what these do beside the network (scaling "
            "along z, and IsotropicCARE's rotations) is not included"
        )
    return pre, (), tuple(notes)


def _noise2void(care: Care) -> tuple[tuple[Step, ...], tuple[Step, ...], tuple[str, ...]]:
    """N2V's fixed numbers before the network, and the same back behind it."""
    assert care.means is not None
    # The step adds 1e-6 to what it divides by, N2V nothing: taken off here, the sum is N2V's own number.
    divisors = tuple(max(std - _steps.EPS, _steps.EPS) for std in care.stds)
    if care.channels_in == 1:
        before, after = _steps.standardised_by(care.means[0], divisors[0]), _steps.linear(care.stds[0], care.means[0])
    else:
        before = _steps.standardised_by(care.means, divisors, "channel")
        after = _steps.linear(care.stds, care.means, "channel")
    if care.channels_out != care.channels_in:
        return (before, _steps.cast("float32")), (), ("values come in units of N2V's means and standard deviations",)
    return (before, _steps.cast("float32")), (after, _steps.cast("float32")), ()


def _shape(care: Care, letters: tuple[str, ...]) -> tuple[int, ...]:
    """Sizes of a frame: what the network is fixed to, or a stack and an image of a few multiples of the step."""
    side = FLAT_SIDE if len(letters) == 2 else DEEP_SIDE
    sizes = [
        size or care.step * -(-(side if letter in "yx" else LEAST) // care.step)
        for letter, size in zip(letters, care.sizes, strict=True)
    ]
    if prod(sizes) * care.channels_in > MOST_VALUES:
        raise ExportError(
            f"found a network for frames of {'x'.join(map(str, sizes))}, expected one that fits in memory"
        )
    return (1, *sizes, care.channels_in)
