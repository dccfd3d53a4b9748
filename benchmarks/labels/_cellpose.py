"""Cellpose's own decoder, in an environment of its own: run by that environment's Python, which has no onscope.

FOLDER holds output.npy (3, y, x): flow along y and x, and the logit. Writes labels.npy and prints the milliseconds of
processor time of each of ROUNDS decodings as JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

import numpy as np


def main(folder: Path, rounds: int) -> None:
    # Neither is in the environment that this file is checked in.
    torch, dynamics = (importlib.import_module(name) for name in ("torch", "cellpose.dynamics"))
    torch.set_num_threads(1)
    output = np.load(folder / "output.npy")
    taken = []
    for turn in range(rounds + 1):
        flows, chance = output[:2].copy(), output[2].copy()
        start = time.process_time()
        labels = dynamics.compute_masks(flows, chance, min_size=15)
        if turn:
            taken.append((time.process_time() - start) * 1e3)
    labels = labels[0] if isinstance(labels, tuple) else labels
    np.save(folder / "labels.npy", np.asarray(labels).astype(np.int32))
    print(json.dumps(taken))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
