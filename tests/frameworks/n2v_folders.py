"""Writes model folders as N2V does, with what N2V predicts; run in a process of its own, since N2V needs Keras 2.

`python -m tests.frameworks.n2v_folders FOLDER`, with TF_USE_LEGACY_KERAS=1: a folder for each of `KINDS`, in which
`predicted.npz` holds images (`given` of a size that the network takes as it is, `odd` of another) and
`N2V.predict`'s answers to them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from .folders import shaken

KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one_network": {"single_net_per_channel": False},
    "residual": {"unet_residual": True, "batch_norm": False},
    "n2v2": {"blurpool": True, "skip_skipone": True, "unet_n_depth": 3},
    "blurred": {"blurpool": True},
    "no_skip_at_the_top": {"skip_skipone": True},
    "structured": {"structN2Vmask": [[0, 1, 1, 1, 1, 1, 0]], "unet_n_depth": 3},
    "colours": {"single_net_per_channel": False, "channels": 3},
    "deep": {"deep": True, "n2v_patch_shape": (16, 16, 16)},
}
"""What N2VConfig is told."""


def write(folder: Path) -> None:
    from n2v.models import N2V, N2VConfig

    for kind, told in KINDS.items():
        options = dict(told)
        random = np.random.default_rng(0)
        channels, deep = options.pop("channels", 1), options.pop("deep", False)
        level = np.array([300.0, 500.0, 900.0][:channels])
        shape = (16,) * deep + (40, 48)
        training = random.normal(level, level / 8, (2, *(32,) * (2 + deep), channels)).astype(np.float32)
        model = N2V(N2VConfig(training, unet_n_first=4, unet_kern_size=3, **options), kind, str(folder))
        shaken(model.keras_model).save_weights(str(folder / kind / "weights_best.h5"))
        axes = "ZYX"[not deep :] + "C" * (channels > 1)
        given, odd = (
            random.normal(level, level / 8, (*sizes, channels)).round().astype(np.uint16)
            for sizes in (shape, (*shape[:-2], 37, 29))
        )
        if channels == 1:
            given, odd = given[..., 0], odd[..., 0]
        answers = {f"{name}_answer": model.predict(each, axes) for name, each in (("given", given), ("odd", odd))}
        np.savez(folder / kind / "predicted.npz", given=given, odd=odd, **answers)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
