"""The words of the package for nuclei: what the network is, what it was trained on, what it does not do."""

from __future__ import annotations

from ._texts import Words

MEASURED = "(to come)"

NUCLEI_WORDS = Words(
    name="nuclei-cells",
    folder="nuclei-cells",
    description="A small star-convex U-Net that outlines single nuclei, mitotic and dying ones too, in fluorescence",
    takes_and_gives=(
        "One uint16 frame (1, 1, y, x) of labelled nuclei or chromatin, y and x of at least 32 and even (onscope pads "
        "others). It is scaled so that its percentiles 1 and 99.8 become 0 and 1. The graph answers float32 "
        "(1, 33, y / 2, x / 2): for every second pixel the probability of being the middle of a nucleus, and its "
        "distance to the outline along 32 rays in pixels. Behind it `stardist_postprocessing` makes a label image: "
        "onscope's own decoder, or StarDist's, carries it out. Interphase nuclei may be 10 to 100 pixels wide."
    ),
    recipe="(to come)",
    limits="(to come)",
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
