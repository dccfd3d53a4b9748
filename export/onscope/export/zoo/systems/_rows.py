"""The systems of the literature that must run: the rows of the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Job(StrEnum):
    """What a system does for the microscopist; the gallery's parts, in this order."""

    RESTORE = "restore"
    SUPER_RESOLVE = "super-resolve"
    LABEL_FREE = "label-free"
    SEGMENT = "segment and detect"
    CLASSIFY = "classify"
    TRACK = "track"
    DIFFRACTIVE = "diffractive and ghost imaging"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the gallery: published systems of one kind. `systems` are the keys of those that stand in it.

    `trained`: at least one of them must come with trained weights; else seeded ones are enough. `beside` is the
    baseline that the trained ones are held against.
    """

    key: str
    title: str
    job: Job
    trained: bool
    beside: str
    systems: tuple[str, ...]


R, S, L, G, C, T, D = Job
ROWS: tuple[Row, ...] = (
    Row("care", "CARE (Weigert 2018)", R, True, "Gaussian, median, non-local means", ("care-cells",)),
    Row(
        "movies", "DeepCAD-RT (Li 2022), FAST (2025)", R, True, "CARE, frame by frame",
        ("deepcad-rt-movies", "fast-movies"),
    ),
    Row("srcnn", "SRCNN (Dong 2014/2016)", S, True, "bicubic, Richardson-Lucy", ("srcnn-cells",)),
    Row("vdsr", "VDSR (Kim 2016)", S, True, "SRCNN", ("vdsr-cells",)),
    Row("drcn", "DRCN (Kim 2016)", S, False, "SRCNN", ("drcn",)),
    Row("srgan", "SRResNet, SRGAN (Ledig 2017)", S, True, "bicubic", ("srgan-cells",)),
    Row("cross-modality", "cross-modality GAN (Wang 2019)", S, True, "Richardson-Lucy", ("cross-modality-cells",)),
    Row("dl-sim", "DL-SIM (Jin 2020)", S, True, "wide-field mean; Fourier SIM", ("dl-sim-filaments",)),
    Row("anna-palm", "ANNA-PALM (Ouyang 2018)", S, True, "histogram of localisations", ("anna-palm-microtubules",)),
    Row("fnet", "FNet (Ounkomol 2018)", L, True, "intensity regression", ("fnet-nuclei",)),
    Row("in-silico", "in-silico labelling (Christiansen 2018)", L, True, "FNet", ("in-silico-labels",)),
    Row("unet", "U-Net (Falk 2019)", G, True, "Otsu + watershed", ("unet-cells",)),
    Row(
        "segment", "FCN, SegNet, DeepLabv3+, SCPP-Net, CDeep3M", G, False, "U-Net",
        ("fcn", "segnet", "deeplab", "scpp-net", "cdeep3m"),
    ),
    Row(
        "instances", "StarDist, Cellpose", G, True, "U-Net + watershed",
        ("nuclei-cells", "cellpose-cells"),
    ),
    Row("rcnn", "Faster R-CNN, Mask R-CNN (He 2017)", G, False, "-", ("faster-rcnn", "mask-rcnn")),
    Row("key-points", "DeepLabCut, LEAP", G, True, "-", ("leap-poles", "deeplabcut")),
    Row(
        "classify", "LeNet, ResNet, Human Protein Atlas classifiers", C, True, "SVM on intensity features",
        ("lenet-cells", "resnet-cells", "protein-atlas"),
    ),
    Row(
        "series", "CNN + LSTM (Patil 2021), Fusion-Net (Kang 2020), PatternNet (Wang 2018)", C, True,
        "per-frame classifier", ("cnn-lstm-cells", "fusion-net", "pattern-net"),
    ),
    Row("delta", "DeLTA (Lugagne 2020)", T, True, "overlap linking", ("delta-segment", "delta-track")),
    Row("mitosis", "multi-output tracking with mitosis (Wang 2020)", T, True, "nearest neighbour", ("multi-output",)),
    Row(
        "track", "microtubules (Masoudi 2020), 3-D association (Moghadam 2021), depth by classification (Liu 2018)", T,
        False, "Kalman + assignment", ("microtubules", "cell-association", "vgg-depth", "axial-depth"),
    ),
    Row("d2nn", "D2NN (Lin 2018), Fourier-space D2NN (Yan 2019)", D, False, "-", ("d2nn", "fourier-d2nn")),
    Row("ghost", "deep ghost imaging (Lyu 2017)", D, False, "correlation", ("ghost-imaging",)),
)  # fmt: skip
BESIDE: tuple[Row, ...] = (
    Row("care-beads", "CARE on beads", R, True, "Gaussian, median, non-local means", ("care-beads",)),
    Row("espcn-beads", "ESPCN on beads (Shi 2016)", S, True, "bicubic", ("espcn-beads",)),
    Row("spots-beads", "centres of beads (Zhou 2019)", G, True, "maxima of a filter", ("spots-beads",)),
    Row("mitosis-cells", "phases of mitosis, calibrated (Guo 2017)", C, True, "SVM", ("mitosis-cells",)),
)
"""Shipped beside the gallery's rows, and measured in the same way."""
