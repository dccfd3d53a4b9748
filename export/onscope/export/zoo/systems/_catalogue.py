"""The catalogue: which module has which system. Nothing is imported before it is asked for."""

from __future__ import annotations

from importlib import import_module

from ._rows import BESIDE, ROWS, Row
from ._system import System

MODULES: dict[str, str] = {
    "anna-palm-microtubules": "superresolve.anna_palm_microtubules",
    "axial-depth": "track.axial_depth",
    "care-beads": "restore.care_beads",
    "care-cells": "restore.care_cells",
    "cdeep3m": "segment.cdeep3m",
    "cell-association": "track.cell_association",
    "cellpose-cells": "segment.cellpose_cells",
    "cnn-lstm-cells": "classify.cnn_lstm_cells",
    "cross-modality-cells": "superresolve.cross_modality_cells",
    "d2nn": "diffractive.d2nn",
    "deepcad-rt-movies": "restore.deepcad_rt_movies",
    "deeplab": "segment.deeplab",
    "deeplabcut": "segment.deeplabcut",
    "delta-segment": "track.delta_segment",
    "delta-track": "track.delta_track",
    "dl-sim-filaments": "superresolve.dl_sim_filaments",
    "drcn": "superresolve.drcn",
    "espcn-beads": "superresolve.espcn_beads",
    "fast-movies": "restore.fast_movies",
    "faster-rcnn": "segment.faster_rcnn",
    "fcn": "segment.fcn",
    "fnet-nuclei": "label_free.fnet_nuclei",
    "fourier-d2nn": "diffractive.fourier_d2nn",
    "fusion-net": "classify.fusion_net",
    "ghost-imaging": "diffractive.ghost_imaging",
    "in-silico-labels": "label_free.in_silico_labels",
    "leap-poles": "segment.leap_poles",
    "lenet-cells": "classify.lenet_cells",
    "mask-rcnn": "segment.mask_rcnn",
    "microtubules": "track.microtubules",
    "mitosis-cells": "classify.mitosis_cells",
    "multi-output": "track.multi_output",
    "nuclei-cells": "segment.nuclei_cells",
    "pattern-net": "classify.pattern_net",
    "protein-atlas": "classify.protein_atlas",
    "resnet-cells": "classify.resnet_cells",
    "scpp-net": "segment.scpp_net",
    "segnet": "segment.segnet",
    "spots-beads": "segment.spots_beads",
    "srcnn-cells": "superresolve.srcnn_cells",
    "srgan-cells": "superresolve.srgan_cells",
    "unet-cells": "segment.unet_cells",
    "vdsr-cells": "superresolve.vdsr_cells",
    "vgg-depth": "track.vgg_depth",
}
"""The module of each system's key, below this package; each has a constant SYSTEM."""


def system(key: str) -> System:
    """The system of this key. Raises KeyError, a sentence, for another one."""
    if key not in MODULES:
        raise KeyError(f"found the system {key!r}, expected one of {', '.join(sorted(MODULES))}")
    found = import_module(f"{__package__}.{MODULES[key]}").SYSTEM
    assert isinstance(found, System)
    return found


def row_of(key: str) -> Row:
    """The gallery's row that a system stands in, or the one beside them. Raises KeyError where there is none."""
    for row in (*ROWS, *BESIDE):
        if key in row.systems:
            return row
    raise KeyError(f"found no row with the system {key!r}, expected one: add it to the rows of the gallery")
