"""The route of StarDist's model folders, in two and three dimensions.

Schmidt, Weigert, Broaddus and Myers, MICCAI 2018; Weigert et al., Star-convex Polyhedra, WACV 2020.
"""

from __future__ import annotations

from math import lcm, prod
from pathlib import Path
from typing import Any

from onscope.runtime import ExportError
from onscope.runtime.package import Step, make_step

from .. import _steps
from .._original import Stated
from ..csbdeep_folder import Fields, Stardist, open_network, read_stardist, with_one_output
from ..keras_tf import KerasNetwork
from . import Asked, read_config

LOW, HIGH, EPS = 1.0, 99.8, 1e-20
"""Of `csbdeep.utils.normalize(image, 1, 99.8)`, with which StarDist's networks are trained and used."""
PROBABILITY, OVERLAP = 0.5, 0.4
"""StarDist's thresholds where thresholds.json states none."""
BORDER = 2
"""Places of the output next to the border whose probability does not count."""
LEAST, FLAT_SIDE, DEEP_SIDE = 16, 256, 64
"""Of a simulated frame: planes, and pixels along y and x of an image and of a stack; rounded up to the step."""
MOST_VALUES = 1 << 28
PAPERS = (
    {
        "text": "Schmidt, Weigert, Broaddus, Myers: Cell detection with star-convex polygons. MICCAI 2018",
        "doi": "10.1007/978-3-030-00934-2_30",
    },
    {
        "text": "Weigert, Schmidt, Haase, Sugawara, Myers: Star-convex polyhedra for 3D object detection and "
        "segmentation in microscopy. WACV 2020",
        "doi": "10.1109/WACV45572.2020.9093435",
    },
)


def load(source: Path, asked: Asked) -> KerasNetwork:
    """As `load_stardist`."""
    return load_stardist(source)


def load_stardist(folder: Path) -> KerasNetwork:
    """The network of a folder with config.json, weights in HDF5 and thresholds.json; raises ExportError, one sentence.

    Its first output holds the object probability and the distances along the rays as channels, of a network of several
    classes the second one their probabilities. Objects are decoded from the first one (`stardist_postprocessing`).
    """
    if not folder.is_dir():
        raise ExportError(
            f"found the file {folder.name}, expected the folder of config.json and the weights: name that"
        )
    network = read_stardist(read_config(folder))
    thresholds, said = read_thresholds(folder)
    own = ("thresholds.json",) if (folder / "thresholds.json").is_file() else ()
    opened = open_network(folder, network, own)
    return KerasNetwork(
        with_one_output(opened.model),
        f"the StarDist folder {folder.name} ({opened.weights})",
        opened.sha256,
        stated(network, thresholds, (*said, *opened.notes)),
        opened.tools,
    )


def read_thresholds(folder: Path) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Of the probability and of the overlap, and what to know of them; raises ExportError for a file that is none."""
    values, missing = [], []
    found = read_config(folder, "thresholds.json") if (folder / "thresholds.json").is_file() else {}
    for name, usual in (("prob", PROBABILITY), ("nms", OVERLAP)):
        fields = Fields(found, "thresholds.json")
        value = fields.number(name, -1e6, 1e6) if name in fields else 0.0
        if not 0 < value < 1:  # as StarDist has it
            value = usual
            missing.append(f"{name} {usual:g}")
        values.append(value)
    words = f"thresholds.json does not state them, so StarDist's usual thresholds were taken: {', '.join(missing)}"
    return (values[0], values[1]), (words,) if missing else ()


def stated(network: Stardist, thresholds: tuple[float, float], notes: tuple[str, ...] = ()) -> Stated:
    """Axes, sizes, normalisation and decoding, as far as the folder and StarDist's defaults say them."""
    letters = tuple(letter for letter in network.axes if letter not in "bc")
    steps = dict(zip(letters, network.steps, strict=True))
    steps["y"] = steps["x"] = step = lcm(steps["y"], steps["x"])
    said = [
        f"frames are normalised to their percentiles {LOW:g} and {HIGH:g}, each channel by itself, as StarDist's "
        "networks are used: the folder does not keep it (--normalise states another)"
    ]
    decoded = _decoded(network, thresholds)
    if not decoded:
        said.append(
            "the rays are no golden spiral, and BioImage.IO has no other in stacks: make objects of what is recorded "
            f"with StarDist, with its folder and the thresholds prob {thresholds[0]:g}, nms {thresholds[1]:g}"
        )
    classes = network.classes is not None
    channels = network.channels_in
    return Stated(
        axes=network.axes,
        output_axes=(network.axes,) * (2 if classes else 1),
        output_names=("objects", "classes") if classes else ("objects",),
        channel_names=tuple(f"channel{number}" for number in range(channels)) if channels > 1 else (),
        pre=(_steps.percentiles(LOW, HIGH, _steps.ids("".join(letters)), EPS), _steps.cast("float32")),
        post=(decoded, ()) if classes else (decoded,),
        minimum=step * -(-LEAST // step),
        step=step,
        fixed=any(size is not None for size in network.sizes) or None,
        shape=_shape(network, letters, steps),
        cite=PAPERS[: len(letters) - 1],
        tags=("stardist", "instance-segmentation", "object-detection", "nuclei", f"{len(letters)}d"),
        notes=(*said, *notes),
    )


def _decoded(network: Stardist, thresholds: tuple[float, float]) -> tuple[Step, ...]:
    """The step that makes objects of the first output; none where its rays are not those of the format."""
    arguments: dict[str, Any] = {
        "prob_threshold": thresholds[0],
        "nms_threshold": thresholds[1],
        "n_rays": network.rays,
        "grid": network.grid,
        "b": BORDER,
    }
    if len(network.grid) == 3:
        if network.anisotropy is None:
            return ()
        arguments |= {"anisotropy": network.anisotropy, "overlap_label": None}
    return (make_step("stardist_postprocessing", arguments),)


def _shape(network: Stardist, letters: tuple[str, ...], steps: dict[str, int]) -> tuple[int, ...]:
    """Sizes of a frame: what the network is fixed to, or a stack and an image of a few multiples of the step."""
    usual = dict.fromkeys("yx", FLAT_SIDE if len(letters) == 2 else DEEP_SIDE) | {"z": LEAST}
    sizes = [
        size or steps[letter] * -(-usual[letter] // steps[letter])
        for letter, size in zip(letters, network.sizes, strict=True)
    ]
    if prod(sizes) * network.channels_in > MOST_VALUES:
        raise ExportError(
            f"found a network for frames of {'x'.join(map(str, sizes))}, expected one that fits in memory"
        )
    return (1, *sizes, network.channels_in)
