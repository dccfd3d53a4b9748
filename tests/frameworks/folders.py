"""Model folders as CSBDeep, N2V and StarDist leave them behind, with random weights, and how they normalise and pad."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.export.keras_tf import quiet, require_keras

Array = npt.NDArray[Any]


def shaken(model: Any, seed: int = 0) -> Any:
    """The model with weights that all matter: none is zero, moments of batch normalisation neither 0 nor 1."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        leaf = weight.name.split("/")[-1].split(":")[0]  # Keras 2 has "layer/kernel:0"
        if leaf in ("kernel", "depthwise_kernel"):
            spread = np.sqrt(2 / np.prod(weight.shape[:-1]))
            weight.assign(random.normal(0, spread, weight.shape))
        elif leaf != "blur_kernel":  # a fixed filter
            weight.assign(random.uniform(0.5, 1.5, weight.shape) * (0.1 if leaf == "bias" else 1))
    return model


def care(folder: Path, axes: str = "YX", channels: tuple[int, int] = (1, 1), **more: Any) -> Any:
    """A CARE network of CSBDeep's own, saved to a folder; returns CSBDeep's object."""
    require_keras()
    with quiet():
        from csbdeep.models import CARE, Config

        config = Config(axes, *channels, **{"unet_n_first": 4, "unet_kern_size": 3, **more})
        model = CARE(config, folder.name, str(folder.parent))
        shaken(model.keras_model)
        model.keras_model.save_weights(str(folder / "weights_best.h5"))
    return model


def stardist(folder: Path, grid: tuple[int, ...] = (1, 1), **more: Any) -> Any:
    """A StarDist network of StarDist's own, saved to a folder; returns StarDist's object."""
    require_keras()
    with quiet():
        from stardist.models import Config2D, Config3D, StarDist2D, StarDist3D

        flat = len(grid) == 2
        small: dict[str, Any] = {"unet_n_depth": 2, "unet_n_filter_base": 4, "net_conv_after_unet": 8}
        if more.get("backbone") == "resnet":
            small = {"resnet_n_filter_base": 4, "resnet_n_blocks": 2, "net_conv_after_resnet": 8}
        given = {"n_rays" if flat else "rays": 8, "grid": grid, **small, **more}
        kind, config = (StarDist2D, Config2D) if flat else (StarDist3D, Config3D)
        model = kind(config(**given), folder.name, str(folder.parent))
        shaken(model.keras_model)
        model.keras_model.save_weights(str(folder / "weights_best.h5"))
    return model


def make_objects(model: Any, folder: Path) -> None:
    """Give a StarDist network biases with which about every tenth place is an object, of some pixels' radius."""
    prob, dist = (model.keras_model.get_layer(name) for name in ("prob", "dist"))
    flat, random = model.config.n_dim == 2, np.random.default_rng(1)
    pixels = random.normal(0.5, 0.3, (1, 64, 64, 1)) if flat else random.uniform(0, 1, (1, 16, 48, 48, 1))
    chance, length = (np.asarray(output) for output in model.keras_model([pixels.astype(np.float32)]))
    if not flat:  # at the border networks answer otherwise, and a stack is mostly border
        chance = chance[0, 4:-4, 4:-4, 4:-4]
    logits = np.log(chance / (1 - chance))
    prob.bias.assign_sub([np.quantile(logits, 0.9)])
    dist.kernel.assign(dist.kernel / length.std())
    radius = 8 if flat else 4
    dist.bias.assign(radius - length.mean(tuple(range(length.ndim - 1))) / length.std())
    model.keras_model.save_weights(str(folder / "weights_best.h5"))


def noise2void(folder: Path, channels: int = 1, **more: Any) -> dict[str, Any]:
    """The config.json of N2V for two dimensions, written to a folder."""
    config = {
        "means": [str(np.float32(430.5 + n)) for n in range(channels)],
        "stds": [str(np.float32(87.25 + n)) for n in range(channels)],
        "n_dim": 2, "axes": "YXC", "n_channel_in": channels, "n_channel_out": channels, "unet_residual": False,
        "unet_n_depth": 2, "unet_kern_size": 3, "unet_n_first": 4, "unet_last_activation": "linear",
        "unet_input_shape": [None, None, channels], "train_loss": "mse", "train_epochs": 200, "batch_norm": True,
        "n2v_perc_pix": 0.198, "n2v_patch_shape": [64, 64], "n2v_manipulator": "uniform_withCP",
        "n2v_neighborhood_radius": 5, "single_net_per_channel": False, "structN2Vmask": None, "probabilistic": False,
        **more,
    }  # fmt: skip
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return config


def write_weights(path: Path, layers: Mapping[str, Mapping[str, Array]]) -> None:
    """HDF5 as Keras 2 writes weights: layers by name, in each its arrays by leaf."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{leaf}:0".encode() for leaf in arrays]
            for leaf, array in arrays.items():
                group[f"{name}/{leaf}:0"] = np.asarray(array, np.float32)


def percentiles(image: Array, low: float, high: float, axes: tuple[int, ...]) -> Array:
    """csbdeep.utils.normalize, which it is compared with besides."""
    from csbdeep.utils import normalize

    return np.asarray(normalize(image, low, high, axis=axes))


def padded(image: Array, steps: tuple[int, ...]) -> Array:
    """Reflected at the end to multiples of the steps, as the runtime and StarDist do it."""
    return np.pad(image, [(0, -size % step) for size, step in zip(image.shape, steps, strict=True)], mode="reflect")
