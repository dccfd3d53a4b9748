"""The words of the packages for beads: what each network is, what it was trained on, what it does not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Words:
    """Texts of one package; `settings` is config.onscope of its description."""

    name: str
    folder: str
    description: str
    takes_and_gives: str
    recipe: str
    limits: str
    cite: tuple[Mapping[str, str], ...]
    tags: tuple[str, ...]
    settings: Mapping[str, Any]


_RANGES = (
    "Scenes of `onscope.specimen` behind random sCMOS sensors, drawn anew for every batch: 50 to 8000 beads per "
    "megapixel (8 % of the scenes are empty), Gaussian widths of 0.8 to 4.2 pixels (sigma), peaks of 2.4 to 2000 "
    "photons, even background of 0.5 to 60 photons, in 30 % of the scenes out-of-focus haze of up to 20 photons; gain "
    "0.4 to 8 counts per electron, offset 20 to 600 counts, read noise 0.8 to 4 electrons with a spread from pixel to "
    "pixel, 12 to 16 bit, full well 1500 to 30000 electrons (so that some beads saturate). Frames of the demo camera "
    "were never trained on."
)
_NOT_REAL = (
    "Trained on simulated beads alone. Cells, filaments, textures, diffraction rings, correlated camera noise, hot "
    "pixels, EM gain and compressed images were not in the training; on such frames look at what it does before you "
    "trust it, and never take a count or an intensity from the answer without a control. "
)

WORDS = {
    "care": Words(
        name="care-beads",
        folder="care-beads",
        description="A small CARE network that takes photon and read noise out of widefield frames of beads",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x), y and x of at least 16, odd ones too. The answer has the same shape and "
            "the same scale of counts: offset and gain stay as they were. Normalisation (mean and noise of the frame, "
            "by Immerkaer's Laplacian), padding, rounding and clipping are inside the graph. 4 % of the noise stays in "
            "the answer on purpose, at the cost of 1 to 2 dB: a frame without any would not tell the spot network how "
            "far to trust a faint blob."
        ),
        recipe=(
            f"{_RANGES} The loss is the squared error against the noise-free counts, in dB relative to that of the "
            "raw frame."
        ),
        limits=(
            f"{_NOT_REAL}The answer is the mean of what may have been there: single frames of very faint beads (below "
            "a signal-to-noise ratio of about 3 in a matched filter) are smoothed away, and the counts of noise are "
            "not those of a Poisson process any more. The frame's statistics come from the whole frame, so a cut-out "
            "is not treated exactly as the same region in the full frame. A saturated bead stays cut off, and its top "
            "may overshoot by a tenth. Counts are "
            "whole numbers: where the noise is near 1 count, so is the error of rounding."
        ),
        cite=(
            {
                "text": "M. Weigert et al., Content-aware image restoration: pushing the limits of fluorescence "
                "microscopy, Nature Methods 15, 1090 (2018)",
                "doi": "10.1038/s41592-018-0216-7",
            },
        ),
        tags=("denoising", "fluorescence", "widefield", "2d", "care", "beads"),
        settings={"decode": "image"},
    ),
    "espcn": Words(
        name="espcn-beads",
        folder="espcn-beads",
        description="A small ESPCN that doubles the pixels per side of denoised widefield frames of beads",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) that `care-beads` has denoised, y and x of at least 16. The answer is "
            "(1, 1, 2y, 2x) on the same scale of counts: a pixel of half the size shows what a whole pixel with this "
            "brightness would count, so the offset stays and intensities compare."
        ),
        recipe=(
            f"{_RANGES} Four fifths of the inputs were denoised by `care-beads`, one fifth were noise-free. The truth "
            "is the same scene through the same optics, drawn without noise on pixels of half the size; the loss is "
            "the squared error in dB relative to bicubic interpolation of the same input."
        ),
        limits=(
            f"{_NOT_REAL}It samples finer and removes some of the denoiser's remaining error; it does not resolve what "
            "the optics did not, and much of the gain over bicubic interpolation is noise that the denoiser left; the "
            "rest is largest for sharp beads (sigma near 1 pixel). A truth exists in simulation only, so the numbers "
            "hold for simulated scenes. On raw, noisy frames "
            "it enlarges the noise."
        ),
        cite=(
            {
                "text": "W. Shi et al., Real-time single image and video super-resolution using an efficient sub-pixel "
                "convolutional neural network, CVPR 2016",
                "doi": "10.1109/CVPR.2016.207",
            },
        ),
        tags=("super-resolution", "fluorescence", "widefield", "2d", "espcn", "beads"),
        settings={"decode": "image", "scale": 2},
    ),
    "spots": Words(
        name="spots-beads",
        folder="spots-beads",
        description="A small U-Net that finds beads in denoised widefield frames, with sub-pixel positions",
        takes_and_gives=(
            "One uint16 frame (1, 1, y, x) that `care-beads` has denoised, y and x of at least 16. The answer is a "
            "float32 table (2048, 3) with the columns y, x and score, the best first: pixels of the frame (whole "
            "numbers are pixel centres) and a score of 0 to 1. Rows that are no spot hold zeros; take those of at "
            "least the threshold in config.onscope. Peaks are found inside the graph."
        ),
        recipe=(
            f"{_RANGES} For this network 60 % of the scenes have haze, of up to 200 photons, and a quarter are empty. "
            "Nine tenths of the inputs "
            "were denoised by `care-beads`, one tenth were raw. Beads with a signal-to-noise ratio of 8 or more in a "
            "matched filter are spots, below 2.5 they are none, between them they count neither way. Loss: "
            "penalty-reduced focal loss on the heat map, L1 on the offsets. A second part (--start --steps 700 "
            "--learning-rate 1e-3, below) starts from the "
            "first one's 3000 steps (seed 1, loss 1.1) and weighs false alarms 8 times."
        ),
        limits=(
            f"{_NOT_REAL}Two beads nearer than about 4 pixels become one, as do the parts of a ring or a line many. "
            "It reads how noisy the frame was from the little noise that `care-beads` leaves; behind another denoiser "
            "that leaves none, remains of noise may be taken for spots. The score is no probability: at the threshold "
            "of 0.8, few frames without any bead give a false spot (more often at a high gain); a lower one, such as "
            "0.5, finds more of the faintest beads and more of what is none. Beside the maxima of a Laplacian of "
            "Gaussian whose width and threshold are the best for each frame, the truth known, it misses more: F1 of "
            "0.98 against 0.99 on scenes like the demonstration's, 0.66 against 0.98 over all that training covers, "
            "0.80 against 0.98 on sharp beads (quality.json), most where beads lie densely. Its positions are twice "
            "as exact on the first. At most 2048 spots per frame. Brightness is not measured."
        ),
        cite=(
            {"text": "X. Zhou, D. Wang, P. Kraehenbuehl, Objects as points, 2019", "doi": "10.48550/arXiv.1904.07850"},
            {
                "text": "O. Ronneberger, P. Fischer, T. Brox, U-Net: convolutional networks for biomedical image "
                "segmentation, MICCAI 2015",
                "doi": "10.1007/978-3-319-24574-4_28",
            },
        ),
        tags=("detection", "spots", "fluorescence", "widefield", "2d", "unet", "beads"),
        settings={"decode": "points", "columns": ["y", "x", "score"], "threshold": 0.8},
    ),
}


def readme(words: Words, account: Mapping[str, Any], quality: str, measured: str) -> str:
    """The package's documentation: what it is, the data, the training, the quality, the limits."""
    curve = ", ".join(f"{value:g}" for value in account["curve"])
    return (
        f"# {words.name}\n\n{words.description}.\n\n## What goes in and comes out\n\n{words.takes_and_gives}\n\n"
        f"## What it was trained on\n\n{words.recipe}\n\n"
        f"`python -m onscope.export.zoo.train {account['name']}`: seed {account['seed']}, {account['steps']} steps, "
        f"{account['minutes']} minutes of wall clock on one thread. Mean loss over each twentieth of the steps: "
        f"{curve}.\n\n"
        f"## Quality\n\n{measured}\n\n{quality}\n\n## What it does not do\n\n{words.limits}\n"
    )


def in_markdown(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> str:
    """A table of frames for a README; each row begins with what the frames are."""
    lines = [["frames", *columns], ["---"] * (len(columns) + 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
