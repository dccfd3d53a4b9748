"""What Cellpose makes of flows: `cellpose_golden.npz` holds its label images, for where it cannot be installed.

    python -m tests.live.cellpose_golden

writes it again, in an environment of its own with cellpose==3.1.1.3 (with NumPy below 2.1), OpenCV and nothing of
onscope.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from tests.live import label_oracle as oracle

GOLDEN = Path(__file__).with_suffix(".npz")
SCENES = 12
Array = np.ndarray[Any, Any]


def scene(number: int) -> Array:
    """(3, y, x): flows and the logit of the probability of crowded objects, with noise, in 64ths: equal everywhere."""
    random = np.random.default_rng(number)
    truth = oracle.crowded(112, (8, 16, 24)[number % 3], number)
    output = oracle.flow_output(truth)
    if number % 2:  # some objects flow as none does, inwards and around
        y, x = output[:2].copy()
        wrong = (truth > 0) & (truth % 4 == 0)
        output[0][wrong], output[1][wrong] = (0.5 * y - 0.87 * x)[wrong], (0.5 * x + 0.87 * y)[wrong]
    output = output + random.normal(0, (0.2, 0.7, 1.4)[number // 3 % 3], output.shape)
    return np.asarray(np.round(output * 64) / 64, np.float32)


def fingerprint(output: Array) -> str:
    """Whether the scene is the one that Cellpose was given."""
    return hashlib.sha256(np.ascontiguousarray(output).tobytes()).hexdigest()


def write() -> None:
    """Ask Cellpose."""
    from cellpose import dynamics

    made: dict[str, Any] = {}
    for number in range(SCENES):
        output = scene(number)
        labels = dynamics.compute_masks(output[:2].copy(), output[2].copy(), min_size=15)
        made[f"labels_{number}"] = labels.astype(np.uint8)
        made[f"sha256_{number}"] = fingerprint(output)
        print(number, labels.max())
    np.savez_compressed(GOLDEN, **made)


if __name__ == "__main__":
    write()
