"""The decoders of the packages that networks come from, on the same outputs."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Decode = Callable[[], Array]


def stardist_of(output: Array, shape: tuple[int, ...], arguments: dict[str, Any]) -> Decode | None:
    """StarDist's own steps after the network's output (1 + rays, y, x), as `predict_instances` takes them: candidates
    above the threshold, suppression in C++, polygons drawn. One thread. None where it is not installed."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        from stardist.geometry import polygons_to_label
        from stardist.nms import _ind_prob_thresh, non_maximum_suppression_sparse
    except ImportError:
        return None
    grid = np.array(arguments["grid"])

    def decode() -> Array:
        chance, distances = output[0], np.moveaxis(output[1:], 0, -1)
        places = _ind_prob_thresh(chance, arguments["prob_threshold"], b=arguments["b"])
        distances = np.maximum(distances[places], 1e-3)
        points = np.stack(np.where(places), axis=1) * grid
        points, scores, distances, _ = non_maximum_suppression_sparse(
            distances, chance[places], points, nms_thresh=arguments["nms_threshold"]
        )
        return np.asarray(polygons_to_label(distances, points, prob=scores, shape=shape))

    return decode


def cellpose_of(output: Array, rounds: int) -> tuple[list[float], Array] | None:
    """Milliseconds of processor time of Cellpose's own decoder on (3, y, x), and its labels, in the environment whose
    Python ONSCOPE_CELLPOSE_PYTHON names (constraints/cellpose.txt). One thread. None where it names none."""
    python = os.environ.get("ONSCOPE_CELLPOSE_PYTHON")
    if not python:
        return None
    if not Path(python).is_file():
        raise ValueError(
            f"found no {python}, expected the Python of Cellpose's environment: set ONSCOPE_CELLPOSE_PYTHON"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "output.npy", output)
        script = Path(__file__).with_name("_cellpose.py")
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        command = [python, str(script), str(folder), str(rounds)]
        told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if told.returncode:
            raise RuntimeError(f"{python} could not run Cellpose's decoder: {told.stderr[-500:]}")
        return json.loads(told.stdout.splitlines()[-1]), np.load(folder / "labels.npy")
