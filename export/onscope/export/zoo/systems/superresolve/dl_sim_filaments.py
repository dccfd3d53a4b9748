"""DL-SIM on filaments: the published U-Net at twelve features and three levels, for nine raw images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from onscope.export import Choices
from onscope.export._steps import cast, percentiles
from onscope.runtime.drawing import Look

from ..._metrics import psnr
from ..._texts import Words
from .._classical import ssim
from .._live_path import FRESH, answers, pipeline_of, stacks
from .._score import Score, over_seeds
from .._sheet import Tile, sheet
from .._system import Live, Measured, System, Training
from ._fourier_sim import reconstructed
from ._resolution import shared_detail
from ._shots import Shots, held_out_shots
from ._striped import SCALE

if TYPE_CHECKING:
    from torch import nn

    from ..._tasks import Task

Array = npt.NDArray[Any]
KEY = "dl-sim-filaments"
WINDOW, FEATURES, DEPTH = 9, 12, 3
LOW, HIGH = 3.0, 99.8
PEAKS = (15.0, 40.0, 120.0, 400.0)
"""Photons per raw image in the brightest pixels of held-out fields."""
MARGIN = 8
"""Raw pixels at the border that do not count: the Fourier reconstruction mirrors what lies outside."""
PIXEL_UM, NA, EMISSION_UM = 0.065, 1.49, 0.507
WIENER = tuple(float(value) for value in np.logspace(-3.5, 0.5, 17))
SMOOTHINGS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7)
PIPELINE = """schema: 1
stages:
  sim: {package: "{package}"}
window: {length: 9, along: i}
"""


def _network() -> nn.Module:
    from ._dl_sim_network import MeanAndDlSim

    return MeanAndDlSim(WINDOW, FEATURES, DEPTH)


def _task() -> Task:
    from ._dl_sim_task import DlSimTask

    return DlSimTask(_network())


def _choices() -> Choices:
    windows = [held_out_shots(100 + n, 100.0).counts for n in range(2)]
    return Choices(
        example=np.ascontiguousarray(windows[0][None, :, :48, :64]),
        axes="btyx",
        output_axes=("bcyx",),
        pre=(percentiles(LOW, HIGH), cast("float32")),
        output_names=("image",),
        minimum=16,
        step=2 ** (DEPTH - 1),
        sizes=[(16, 20), (64, 100), (76, 52)],
        frames=[np.ascontiguousarray(windows[1][None, :, :80, :80])],
        settings={"denormalise": {"image": "values"}, "scale": SCALE},
    )


def _images(folder: Path, shots: Sequence[Shots]) -> list[Array]:
    results = answers(pipeline_of(PIPELINE, folder), stacks([one.counts for one in shots], "i"))
    return [np.asarray(one["sim"]).squeeze() for one in results]


def _best(shots: Shots) -> dict[str, Array]:
    """The mean of the raw images enlarged, filtered or not, and the Fourier reconstruction, at the best PSNR."""
    truth = _inner(shots.truth)
    mean = shots.counts.mean(axis=0)
    wide = [_enlarged(gaussian_filter(mean, sigma)) for sigma in SMOOTHINGS]
    raw = shots.counts - shots.offset
    fourier = [reconstructed(raw, shots.stripes, PIXEL_UM, NA, EMISSION_UM, wiener) + shots.offset for wiener in WIENER]
    return {
        "wide-field mean": _enlarged(mean),
        "wide-field mean, Gaussian": max(wide, key=lambda image: psnr(_inner(image), truth)),
        "Fourier SIM": max(fourier, key=lambda image: psnr(_inner(image), truth)),
    }


def _enlarged(image: Array) -> Array:
    size = (SCALE * image.shape[1], SCALE * image.shape[0])
    return np.asarray(cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_CUBIC))


def _inner(image: Array) -> Array:
    return image[SCALE * MARGIN : -SCALE * MARGIN, SCALE * MARGIN : -SCALE * MARGIN]


def _scores(folder: Path, seeds: int) -> list[Score]:
    found = []
    for peak in PEAKS:
        shots = [held_out_shots(number, peak) for number in range(FRESH, FRESH + seeds)]
        images = [{"network": own, **_best(one)} for own, one in zip(_images(folder, shots), shots, strict=True)]
        pairs = list(zip(images, shots, strict=True))
        samples = f"sim filaments, {peak:g} photons"
        for metric, unit, measure, less in (
            ("PSNR", "dB", psnr, False),
            ("SSIM", "", ssim, False),
            ("finest detail", "nm", _detail_nm, True),
        ):
            rows = [
                {name: measure(_inner(image), _inner(one.truth)) for name, image in named.items()}
                for named, one in pairs
            ]
            found.append(over_seeds(samples, metric, unit, rows, **({"less_is_better": True} if less else {})))
    return found


def _detail_nm(image: Array, truth: Array) -> float:
    return shared_detail(image, truth, 1000 * PIXEL_UM / SCALE)


def _picture(folder: Path, file: Path) -> None:
    rows = []
    for number, peak in enumerate((15.0, 40.0, 120.0), start=FRESH):
        shots = held_out_shots(number, peak)
        best, part = _best(shots), slice(96, 224)
        truth = shots.truth[part, part]
        look = Look.of(truth, glow=True)
        images = {
            "wide-field mean, Gaussian": best["wide-field mean, Gaussian"],
            "Fourier SIM": best["Fourier SIM"],
            "DL-SIM": _images(folder, [shots])[0],
        }
        raw = shots.counts[0, part.start // SCALE : part.stop // SCALE, part.start // SCALE : part.stop // SCALE]
        tiles = [Tile("one raw image", raw, f"{peak:g} photons in its brightest pixels", look)]
        for name, image in images.items():
            quality, nm = psnr(_inner(image), _inner(shots.truth)), _detail_nm(_inner(image), _inner(shots.truth))
            tiles.append(Tile(name, image[part, part], f"{quality:.1f} dB, details of {nm:.0f} nm", look))
        rows.append([*tiles, Tile("truth", truth, "", look)])
    sheet("DL-SIM on held-out filaments, nine raw images each", rows, file)


SYSTEM = System(
    key=KEY,
    network=_network,
    choices=_choices,
    words=Words(
        name=KEY,
        folder=KEY,
        description="DL-SIM: a sharp image of filaments from nine raw images of structured illumination",
        takes_and_gives=(
            "A window of nine uint16 raw images (1, 9, y, x) of structured illumination, all three phases of the first "
            "angle first, y and x of at least 16 and multiples of 4 (onscope pads others), normalised to the "
            "percentiles 3 and 99.8 of all nine together. The answer is float32 (1, 1, 2y, 2x), which onscope brings "
            "back to counts: a pixel of half the size shows what a whole one of this brightness would count."
        ),
        recipe=(
            "Filaments of the specimen's scenario sim (100x/1.49 TIRF, raw pixels of 65 nm), half to one and a half "
            "times its cells, 100 specimens, up to 400 fields of 160x160; stripes of 274 to 286 nm with a modulation "
            "of 0.7 to 0.95, angles 9 to 11 degrees off the rows and 60 degrees apart, three equal steps of phase "
            "from anywhere; focus off by 80 nm (standard deviation); 8 to 500 photons per raw image in the brightest "
            "pixels over a background of 0.3 to 10, behind sCMOS sensors of many kinds; noise is drawn anew for "
            "every batch. The truth is what the "
            "same lens makes of even light, noise-free, when the wavelength is shorter by as much as lets it pass "
            "the frequencies of light and stripes together (0.62 times): the paper learns from reconstructions in "
            "good light, and its network draws the image alone, where this one adds what it says to the enlarged "
            "mean of the raw images. Loss: the logarithm of each crop's squared error."
        ),
        limits=(
            "It knows the stripes of one microscope, in the order of the scenario: other periods, angles or orders "
            "need a training of their own. Trained on simulated filaments alone: other structures it may draw as "
            "filaments, and below about 10 photons what it draws is guessed. Motion between the nine images, stripes "
            "of uneven contrast and light from out of focus (this is TIRF) were not in the training."
        ),
        cite=(
            {
                "text": "L. Jin et al., Deep learning enables structured illumination microscopy with low light levels "
                "and enhanced speed, Nature Communications 11, 1934 (2020)",
                "doi": "10.1038/s41467-020-15784-x",
            },
        ),
        tags=("super-resolution", "structured illumination", "fluorescence", "2d", "dl-sim", "filaments"),
        settings={"decode": "image"},
    ),
    live=Live(PIPELINE, "specimen:sim@filaments,phases=9,size=256", frames=36),
    training=Training(_task, steps=5000, learning_rate=3e-3),
    measured=Measured(
        _scores,
        _picture,
        about=(
            "Measured through the runtime on fields of specimens that training never saw, 160x160 raw pixels of "
            "which 8 at the border do not count, with stripes and a camera of their own; mean and standard deviation "
            "over the seeds. PSNR over the span of the truth; the finest detail is where the Fourier ring "
            "correlation with the truth falls below one half. The Gaussian's width and the Wiener parameter of the "
            "Fourier reconstruction are those with the best PSNR on each field, the truth known; the latter knows "
            "stripes, modulation, offset and lens exactly, which on a real microscope have to be estimated."
        ),
    ),
    cost_shape=(256, 256),
    window=WINDOW,
)
