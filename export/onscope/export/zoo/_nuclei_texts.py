"""The words of the package for nuclei: what the network is, what it was trained on, what it does not do."""

from __future__ import annotations

from ._texts import Words

MEASURED = (
    "Measured by `python -m onscope.export.zoo.evaluate --only nuclei` on specimens that neither training nor any "
    "choice has seen (seeds of their own), run by ONNX Runtime and onscope's decoder, all nuclei of a row counted "
    "together. Four scenarios as they are, dividing-cells with a death rate of 0.2 per hour (dying cells), and fields "
    "from the whole range of the training (255x255, four of each specimen; not stretched, not laid over each other). "
    "The last row is a real image that was never trained on: img2d.tif of 512x512 pixels with its 125 outlined nuclei, "
    "from StarDist's repository (BSD-3-Clause). It was looked at once between two trainings: that nuclei were "
    "stretched and laid over each other in the second came of it. F1 and AP (hits over hits, spurious and missed ones "
    "together) count pairs whose intersection over union is at least 0.5, 0.7, 0.9; IoU is the mean over pairs of at "
    "least 0.5, PQ the panoptic quality. Beside them F1 at 0.5 of what needs no network: Otsu's threshold and a "
    "watershed, of the width that suits each frame best, the truth known."
)

NUCLEI_WORDS = Words(
    name="nuclei-cells",
    folder="nuclei-cells",
    description="A small star-convex U-Net that outlines single nuclei, mitotic and dying ones too, in fluorescence",
    takes_and_gives=(
        "One uint16 frame (1, 1, y, x) of labelled nuclei or chromatin, y and x of at least 32 and even (onscope pads "
        "others). It is scaled so that its percentiles 1 and 99.8 become 0 and 1. The graph answers float32 "
        "(1, 33, y / 2, x / 2): for every second pixel the probability that it is the middle of a nucleus, and the "
        "distances to the outline along 32 rays in pixels. Behind it `stardist_postprocessing` makes a label image: "
        "onscope's own decoder, or StarDist's, carries it out. Interphase nuclei may be about 12 to 100 pixels wide. "
        "Chromosomes of an anaphase are two nuclei, the fragments of a dead cell are one."
    ),
    recipe=(
        "Specimens of `onscope.specimen` by the recipe `STARS` of `onscope.export.zoo.recipes`, each a culture of its "
        "own: sparse to crowded, round to elongated, nuclei of 10 to 17 um, up to a quarter of the cells in mitosis, 0 "
        "to 12 % dying per hour, expression that varies by 20 to 70 %; looked at by one of seven lenses (10x/0.30 to "
        "60x/1.40, pixels of 0.15 to 1 um), one in eight confocal, in and out of focus, with uneven light, dust, "
        "background, 8 to 3000 photons per pixel of a nucleus, behind sCMOS sensors of many kinds and EMCCDs. Each "
        "field is made twice: stretched by up to 1.9 in some direction, and in 40 % laid over itself upside down, for "
        "the specimen's nuclei never overlap. 300 specimens with 4 fields of 255x255. Turned, mirrored, lit and graded "
        "anew for every batch of 4. Loss: cross entropy of the probability, and twice the error of the distances "
        "relative to their mean; Adam with a learning rate of at most 0.002 (--learning-rate). No real image was "
        "trained on."
    ),
    limits=(
        "Trained on simulated nuclei alone. Tissue, nuclei that are not convex (lobed, ring-shaped, with deep folds), "
        "dyes that leave the nucleus dark or stain much else, and stacks were not in the training. A star-convex "
        "polygon cannot follow a lobed outline. Of nuclei that lie over each other the one below is cut short, or "
        "taken for one with the one above. Chromosomes of mitotic cells that stand far out of focus, as they do at "
        "40x, are at times outlined with their halo, in part or not at all. Fragments of dead cells are often outlined "
        "one by one. Nuclei of less than 10 pixels' width are missed or run together: enlarge the image before. The "
        "outline of a simulated nucleus is where its dye ends, that of a real one where a person saw it: they differ "
        "by a pixel, which is why F1 at 0.9 is low on the real image. In a frame of noise alone a nucleus is found at "
        "times. On simulated nuclei it does not beat `unet-cells` but in fields as in the training: F1 at 0.5 is 0.003 "
        "to 0.01 lower, of dying cells 0.09, and outlines are less exact, since they are polygons; on the real image "
        "it is ahead of it by far (0.917, 0.749). Look at what it does on your images before you count with it."
    ),
    cite=(
        {
            "text": "U. Schmidt, M. Weigert, C. Broaddus, G. Myers, Cell detection with star-convex polygons, MICCAI "
            "2018",
            "doi": "10.1007/978-3-030-00934-2_30",
        },
        {
            "text": "O. Ronneberger, P. Fischer, T. Brox, U-Net: convolutional networks for biomedical image "
            "segmentation, MICCAI 2015",
            "doi": "10.1007/978-3-319-24574-4_28",
        },
    ),
    tags=("instance-segmentation", "nuclei", "fluorescence", "2d", "unet", "stardist", "cells"),
    settings={},
)
