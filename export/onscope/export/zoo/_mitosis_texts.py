"""The words of the package for crops: what the network is, what it was trained on, what it does not do."""

from __future__ import annotations

from ._crops import LEAST_UM2, NAMES, PIXEL_UM, SIDE
from ._crops_recipes import MOST_ALIKE
from ._mitosis_quality import PACKAGE
from ._texts import Words

MEASURED = (
    "Measured by `python -m onscope.export.zoo.evaluate --only mitosis` on 20 specimens of the held-out part for each"
    " kind, run by ONNX Runtime. *Classes alike*: cultures as in training, in scale, each class with the same weight."
    " *Natural*: undisturbed cultures, as many in mitosis as a cycle of 16 to 24 h makes, 1 % of the cells dying per "
    "hour, all crops; *frequencies known*: the same answers, each probability multiplied by how frequent its class is"
    " among these crops, and made to add up to 1 again. The calibration error is the mean distance between the "
    "probability of the told class and the share of right answers, over 15 bins (C. Guo et al., ICML 2017). Precision"
    " is the share of right ones among the crops that are told to be of a class, recall the share of a class that is "
    "told to be of it. The last table tells the classes' parts: most mistakes are made where one phase goes over into"
    " the next, as in early prophase, which looks like interphase, and in late telophase."
)

MITOSIS_WORDS = Words(
    name=PACKAGE,
    folder=PACKAGE,
    description="A small classifier of crops around nuclei: interphase, three parts of mitosis, or dead",
    takes_and_gives=(
        f"uint16 crops (batch, 1, {SIDE}, {SIDE}) of labelled chromatin (histone or DNA dye), as many at once as you "
        f"like, each with the nucleus that is meant in its middle (within about 2 um), at {PIXEL_UM} um per pixel: "
        "scale frames of a 40x objective, of a 20x or of a 10x one so first (by area, where pixels become larger). "
        "A scale that was 15 % off cost 1.4 % of accuracy (0.901 to 0.887, 5,287 held-out crops). "
        "Where a crop reaches over the frame's border fill it with background (the frame's 5th percentile), not with "
        "mirrored pixels: they make pairs of what is one. Gain and "
        "offset of the camera do not matter, the background is taken off inside the graph. The answer is float32 "
        f"(batch, {len(NAMES)}), in about 0.6 ms per crop on one core: the probabilities of "
        f"{', '.join(NAMES)}, which add up to 1. *prophase* includes "
        "prometaphase (until the plate is there), *anaphase* telophase (until the daughters are in interphase), *dead* "
        "dying cells. They are calibrated for classes that are equally frequent; in a culture multiply each by how "
        "frequent its class is there, divide by the sum, and then decide: a threshold that suits 20 % of metaphases "
        "finds mostly errors among 1 %."
    ),
    recipe=(
        f"Crops of cultures of `onscope.specimen`, 140 that divide and 60 that die (by chance or of violet light), at "
        f"most {MOST_ALIKE} of a kind and image, each with settings of its own: nuclei of 11 to 16 um, elongated 1.1 "
        "to 2.2, crowding, expression, phases of mitosis; objectives 10x/0.3 to 40x/0.95, sCMOS (10 % EMCCD) of "
        "12 to 16 bit, powers of 0.3 to 8 mW, uneven light, background, focus off by 1.8 um (standard deviation). "
        "Crops lie off the nucleus' middle as segmentations do (0.8 um, a tenth 2.5 um), every other time on one "
        "of the pieces of a nucleus in pieces; their scale varies by 10 %. Nuclei that touch the image's border or "
        f"are below {LEAST_UM2:g} um2 are left out. Every batch has as many of each class, turned and mirrored. Loss: "
        "cross entropy; the temperature was set on the validation part. A second part (--start --steps 6500 "
        "--learning-rate 0.0015, below) starts from the first one's 4500 steps (--learning-rate 0.002, seed 1, loss "
        "0.42)."
    ),
    limits=(
        "Trained on simulated cultures alone: their plates lie with their edges to the observer, as in flat adherent "
        "cells; plates seen from above, multipolar spindles, lagging chromosomes, micronuclei, polyploid and "
        "multinucleated cells, necrosis without condensation, tissue and 3-D cultures were not in the training. "
        "Look at what it says of your own cells before you trust it, and never let it decide alone what cannot be "
        "undone. The first half of prophase looks like interphase, in the image and so to it; one plate of an "
        "anaphase alone looks like a metaphase. Nuclei without visible nucleoli (noisy images, some dyes) look like "
        "prophase to it: of 125 real nuclei in StarDist's example image, taken to have pixels of 0.5 um, 40 are told "
        "to be in prophase while classes count alike, and none where interphase is known to be 90 %; of the nine that "
        "are then told to divide or to be dead, some are right (the image's anaphase), others are cut off by its "
        "border. One crop says nothing about motion: whoever has several time points should ask for the same answer "
        "twice. A nucleus that the frame's border cuts looks like a plate: of 5,168 such nuclei of the scenario "
        "`rare-event` 1,872 were told to be in metaphase or anaphase, of 17,223 whole ones in interphase 2 (by half"
        " of the probability; outlines by `nuclei-cells`, 20x, long exposures). Leave out objects whose "
        "`touches_border` is true. It takes fluorescence of chromatin, not of whole cells."
    ),
    cite=(
        {
            "text": "C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, On calibration of modern neural networks, ICML 2017",
            "doi": "10.48550/arXiv.1706.04599",
        },
        {
            "text": "M. Held et al., CellCognition: time-resolved phenotype annotation in high-throughput live cell "
            "imaging, Nature Methods 7, 747 (2010)",
            "doi": "10.1038/nmeth.1486",
        },
    ),
    tags=("classification", "mitosis", "cell-death", "nuclei", "fluorescence", "2d", "cells"),
    settings={"decode": "classes"},
)
