"""Folders of CSBDeep and N2V become packages that answer as CSBDeep's own networks do."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
pytest.importorskip("csbdeep")

from onscope.export.csbdeep_folder import open_network, read_care
from onscope.export.routes import load, read_config
from onscope.runtime import ExportError, Package
from onscope.runtime.engines import open_session
from onscope.runtime.graph import Raw
from tests.graph.run import answers

from . import folders

Array = npt.NDArray[Any]
Make = Callable[..., Any]
KINDS: dict[str, dict[str, Any]] = {
    "residual": {},
    "plain": {"unet_residual": False, "unet_n_depth": 1, "unet_last_activation": "relu"},
    "two channels": {"axes": "YXC", "channels": (2, 2)},
    "two channels to one": {"axes": "YXC", "channels": (2, 1)},
    "probabilistic": {"probabilistic": True},
    "probabilistic plain": {"probabilistic": True, "axes": "YXC", "channels": (1, 2)},
    "deep": {"axes": "ZYX", "unet_n_depth": 1},
    "deep and probabilistic": {"axes": "ZYX", "unet_n_depth": 1, "unet_residual": False, "probabilistic": True},
}


def image(shape: tuple[int, ...], seed: int = 1) -> Array:
    random = np.random.default_rng(seed)
    return random.poisson(random.uniform(50, 900, shape)).astype(np.uint16)


def close(found: Array, expected: Array, limit: float = 2e-6) -> bool:
    """Whether the largest difference is a small part of the range."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max()) <= limit * float(np.ptp(expected))


@pytest.mark.parametrize("kind", KINDS)
def test_our_network_is_csbdeeps(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = folders.care(tmp_path / "care", **KINDS[kind])
    monkeypatch.setattr("importlib.util.find_spec", absent("csbdeep"))
    opened = open_network(tmp_path / "care", read_care(read_config(tmp_path / "care")))
    assert "csbdeep" not in opened.tools
    assert "without csbdeep" in opened.notes[0]
    given = np.random.default_rng(2).normal(0, 1, (2, *(16,) * model.config.n_dim, model.config.n_channel_in))
    expected, found = model.keras_model(given).numpy(), opened.model(given).numpy()
    assert np.abs(found - expected).max() <= 1e-6 * np.ptp(expected)


def test_a_probabilistic_network_has_two_outputs(tmp_path: Path, make: Make, counts: Array) -> None:
    model = folders.care(tmp_path / "care", probabilistic=True)
    report = make(load(tmp_path / "care"), counts)
    package = Package.load(report.folder)
    assert [output.name for output in package.outputs] == ["mean", "scale"]
    given = np.random.default_rng(4).normal(0, 1, (2, 20, 24, 1)).astype(np.float32)
    found = open_session(package.weights, "cpu").run([given])
    expected = model.keras_model(given).numpy()
    assert close(np.concatenate(found, axis=-1), expected)
    assert found[1].min() >= 1e-3


def test_what_a_folder_states(tmp_path: Path) -> None:
    folders.care(tmp_path / "care", axes="ZYXC", channels=(2, 2), unet_n_depth=3)
    original = load(tmp_path / "care")
    stated = original.stated
    assert (stated.axes, stated.output_axes, stated.channel_names) == ("bzyxc", ("bzyxc",), ("channel0", "channel1"))
    assert (stated.minimum, stated.step, stated.shape) == (16, 8, (1, 16, 64, 64, 2))
    assert stated.pre[0].arguments["axes"] == ("z", "y", "x")
    assert stated.post == ()
    assert stated.settings == {"denormalise": {"image": "values"}}
    assert "other readers of the package give values in units of percentiles" in stated.notes[1]
    assert "IsotropicCARE and UpsamplingCARE look the same" in stated.notes[2]
    assert original.route == "the CARE folder care (weights_best.h5)"
    before = original.source_sha256
    (tmp_path / "care" / "config.json").write_text((tmp_path / "care" / "config.json").read_text() + "\n")
    assert load(tmp_path / "care").source_sha256 != before


@pytest.mark.parametrize("channels", [1, 2])
def test_noise2void_gives_counts(tmp_path: Path, make: Make, channels: int) -> None:
    """N2V builds CSBDeep's network with batch normalisation, and keeps what it normalises with."""
    from csbdeep.internals.nets import custom_unet

    folder = tmp_path / "n2v"
    folders.noise2void(folder, channels, unet_residual=channels == 2)
    network = custom_unet(
        (None, None, channels), "linear", 2, 4, (3, 3), pool_size=(2, 2), n_channel_out=channels,
        residual=channels == 2, batch_norm=True,
    )  # fmt: skip
    legacy(folders.shaken(network), folder / "weights_last.h5")
    report = make(load(folder))
    assert report.passed
    odd = image((37, 29, channels))
    means, stds = 430.5 + np.arange(channels), 87.25 + np.arange(channels)
    normal = folders.padded(((odd - means) / stds).astype(np.float32), (4, 4, 1))
    expected = network(normal[None]).numpy()[0, :37, :29] * stds + means
    found = live(tmp_path / "package", odd if channels > 1 else odd[..., 0], False, tmp_path)["image"]
    assert close(found[0], expected, 5e-6)


@pytest.mark.parametrize("thin", [False, True])
@pytest.mark.parametrize("skip_skipone", [False, True])
def test_noise2void_2(tmp_path: Path, make: Make, skip_skipone: bool, thin: bool) -> None:
    """Blurred pooling and no skip at the top, against the same written with TensorFlow's operators."""
    folder = tmp_path / "n2v"
    folders.noise2void(folder, blurpool=True, skip_skipone=skip_skipone, batch_norm=False, single_net_per_channel=True)
    weights = random_n2v2(skip_skipone, thin)
    folders.write_weights(folder / "weights_best.h5", weights)
    original = load(folder)
    given = np.random.default_rng(5).normal(0, 1, (2, 24, 20, 1)).astype(np.float32)
    assert close(original.run(given)[0], n2v2(given, weights, skip_skipone))
    assert make(original, image((1, 40, 36, 1))).passed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unet_n_depth": 40}, "unet_n_depth 40 .*from 1 to 8"),
        ({"unet_n_depth": True}, "unet_n_depth True"),
        ({"unet_n_first": 10**9}, "unet_n_first 1000000000 .*from 1 to 1024"),
        ({"unet_n_first": 1024, "unet_n_depth": 8}, "expected at least [0-9]+ for the network in config.json"),
        ({"unet_n_first": 8}, "kernel of 3x3x1x4 for the layer 'down_level_0_no_0' .* expected 3x3x1x8"),
        ({"unet_n_depth": 1}, "weights for the layer 'down_level_1_no_0'"),
        ({"unet_n_depth": 3}, "no weights for the layer 'down_level_2_no_0'"),
        ({"unet_kern_size": 4}, "expected an odd number"),
        ({"unet_last_activation": "__import__('os')"}, "unet_last_activation"),
        ({"axes": "CYX"}, "channels last"),
        ({"axes": "YXXC"}, "expected YXC"),
        ({"unet_input_shape": [None, None, None, None]}, "unet_input_shape"),
        ({"n_channel_out": 2}, "as many out as in"),
        ({"proj_axis": "Z"}, "projecting network"),
        ({"means": ["nan"], "stds": ["1"]}, "1 finite numbers"),
        ({"means": [10**400], "stds": ["1"]}, "1 finite numbers"),
        ({"means": ["1"], "stds": ["0"]}, "numbers above 0"),
        ({"means": ["1", "2"], "stds": ["1"]}, "1 finite numbers"),
    ],
)
def test_configurations_that_do_not_fit(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    folders.care(tmp_path / "care")
    path = tmp_path / "care" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ExportError, match=words) as caught:
        load(tmp_path / "care")
    assert "\n" not in str(caught.value)


class Runs:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: int) -> None:
    folders.noise2void(tmp_path / "n2v")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n2v" / "weights_best.h5").write_bytes(pickle.dumps({"weights": Runs()}, protocol))
    with pytest.raises(ExportError, match=r"weights_best.h5, which is a pickle, which could run any code"):
        load(tmp_path / "n2v")
    assert not Path("ran").exists()


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    import h5py

    folder = tmp_path / "care"
    folders.care(folder)
    weights = folder / "weights_best.h5"
    whole = weights.read_bytes()
    for content, words in [
        (whole[: len(whole) // 2], "no whole HDF5 file"),
        (b"nothing of the kind" * 1000, "no HDF5 file"),
    ]:
        weights.write_bytes(content)
        with pytest.raises(ExportError, match=words):
            load(folder)
    with h5py.File(weights, "w") as file:
        file["a"] = np.zeros(10_000)
    with pytest.raises(ExportError, match="without Keras' layer_names"):
        load(folder)
    weights.rename(folder / "a.h5")
    (folder / "b.h5").write_bytes(whole)
    with pytest.raises(ExportError, match=r"found a.h5, b.h5 in care, expected weights_best.h5"):
        load(folder)
    (folder / "a.h5").unlink()
    assert load(folder).route == "the CARE folder care (b.h5)"
    (folder / "b.h5").unlink()
    with pytest.raises(ExportError, match=r"found no .h5 file in care"):
        load(folder)
    (tmp_path / "outside.h5").write_bytes(whole)
    weights.symlink_to(tmp_path / "outside.h5")
    with pytest.raises(ExportError, match="a link out of care"):
        load(folder)
    with pytest.raises(ExportError, match=r"found the file config.json, expected the folder"):
        load(folder / "config.json", route="csbdeep")


@pytest.mark.parametrize("kind", ["external", "soft", "virtual", "raw", "objects", "missing"])
def test_hdf5_that_leads_elsewhere(tmp_path: Path, kind: str) -> None:
    """Links and layouts of HDF5 through which another file of this machine would be read."""
    import h5py

    folder = tmp_path / "care"
    folders.care(folder)
    folders.care(tmp_path / "other")
    elsewhere = tmp_path / "other" / "weights_best.h5"
    path = "down_level_0_no_0/down_level_0_no_0/bias"
    with h5py.File(folder / "weights_best.h5", "r+") as file:
        del file[path]
        match kind:
            case "external":
                file[path] = h5py.ExternalLink(str(elsewhere), path)
            case "soft":
                file[path] = h5py.SoftLink("/up_level_0_no_2/up_level_0_no_2/bias")
            case "virtual":
                layout = h5py.VirtualLayout((4,), "f4")
                layout[:] = h5py.VirtualSource(str(elsewhere), path, (4,))
                file.create_virtual_dataset(path, layout)
            case "raw":
                file.create_dataset(path, (4,), "f4", external=[(str(elsewhere), 0, 16)])
            case "objects":
                file.create_dataset(path, data=["a", "b", "c", "d"])
    with pytest.raises(ExportError, match=r"not in it|no plain array of numbers"):
        load(folder)


def test_numbers_that_cannot_be_read_or_are_none(tmp_path: Path) -> None:
    """Behind a checksum that does not hold, and of a training that diverged."""
    import h5py

    folder = tmp_path / "care"
    folders.care(folder)
    path = "down_level_0_no_0/down_level_0_no_0/bias"
    weights = folder / "weights_best.h5"
    with h5py.File(weights, "r+") as file:
        del file[path]
        file.create_dataset(path, data=np.ones(4, np.float32), chunks=(4,), fletcher32=True)
        place = file[path].id.get_chunk_info(0).byte_offset
    content = bytearray(weights.read_bytes())
    content[place] ^= 255
    weights.write_bytes(bytes(content))
    with pytest.raises(ExportError, match=r"bias of the layer 'down_level_0_no_0' in .*cannot be read") as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    with h5py.File(weights, "r+") as file:
        del file[path]
        file[path] = np.array([0, np.nan, 1, 2], np.float32)
    with pytest.raises(ExportError, match="NaN or infinite numbers in the bias of the layer 'down_level_0_no_0'"):
        load(folder)


def test_a_config_that_is_no_file(tmp_path: Path) -> None:
    """Reading a pipe would wait for ever."""
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(ExportError, match="which is no file"):
        load(tmp_path, route="csbdeep")


def test_fixed_sizes_and_one_network_per_channel(tmp_path: Path) -> None:
    folders.care(tmp_path / "care", unet_input_shape=(32, 48, 1))
    assert (load(tmp_path / "care").stated.fixed, load(tmp_path / "care").stated.shape) == (True, (1, 32, 48, 1))
    folders.noise2void(tmp_path / "n2v", 3, single_net_per_channel=True)
    with pytest.raises(ExportError, match="a network of its own for each of 3 channels"):
        load(tmp_path / "n2v", route="csbdeep")


def live(package: Path, frames: Array, deep: bool, cache: Path) -> dict[str, Array]:
    """The compiled graph's answers: one frame (y, x) or (y, x, samples), or a stack of them."""
    window = list(frames) if deep else [frames]
    axes = "yx" if window[0].ndim == 2 else "yxs"
    raw = Raw(window[0].shape, window[0].dtype.name, axes, len(window), "z" if deep else "t")
    return answers(package, window, raw, cache / "cache")


def absent(package: str) -> Callable[..., Any]:
    """`importlib.util.find_spec` where a package is not installed."""
    from importlib.util import find_spec

    return lambda name, *more: None if name == package else find_spec(name, *more)


def legacy(model: Any, path: Path) -> None:
    """Weights as CSBDeep has Keras 3 save them."""
    layers = {layer.name: {weight.name: weight.numpy() for weight in layer.weights} for layer in model.layers}
    folders.write_weights(path, {name: weights for name, weights in layers.items() if weights})


def random_n2v2(skip_skipone: bool, thin: bool) -> dict[str, dict[str, Array]]:
    """Weights of a U-Net of two levels with 4 filters at the top."""
    random = np.random.default_rng(6)
    wide = 4 if thin and not skip_skipone else 8
    plan = {
        "down_level_0_no_0": (1, 4), "down_level_0_no_1": (4, 4), "max_0": (4, 1),
        "down_level_1_no_0": (4, 8), "down_level_1_no_1": (8, 8), "max_1": (8, 1),
        "middle_0": (8, 16), "middle_2": (16, 8),
        "up_level_1_no_0": (16, wide), "up_level_1_no_2": (wide, 4),
        "up_level_0_no_0": (4 if skip_skipone else 8, 4), "up_level_0_no_2": (4, 4),
    }  # fmt: skip
    weights: dict[str, dict[str, Array]] = {}
    for name, (taken, given) in plan.items():
        if name.startswith("max"):
            blur = np.outer([1, 2, 1], [1, 2, 1]) / 16
            weights[f"channel_0{name}"] = {"blur_kernel": np.repeat(blur[..., None], taken, 2)[..., None]}
        else:
            kernel = random.normal(0, np.sqrt(2 / 9 / taken), (3, 3, taken, given))
            weights[f"channel_0{name}"] = {"kernel": kernel, "bias": random.normal(0, 0.1, given)}
    weights["conv2d_37"] = {"kernel": random.normal(0, 0.5, (1, 1, 4, 1)), "bias": random.normal(0, 0.1, 1)}
    return weights


def n2v2(given: Array, weights: dict[str, dict[str, Array]], skip_skipone: bool) -> Array:
    import tensorflow as tf

    def convolved(x: Any, name: str, relu: bool = True) -> Any:
        kernel, bias = (np.asarray(weights[name][leaf], np.float32) for leaf in ("kernel", "bias"))
        x = tf.nn.conv2d(x, kernel, 1, "SAME") + bias
        return tf.nn.relu(x) if relu else x

    x, skips = tf.constant(given), []
    for level in range(2):
        for number in range(2):
            x = convolved(x, f"channel_0down_level_{level}_no_{number}")
        skips.append(x)
        x = tf.nn.pool(x, (2, 2), "MAX", strides=(1, 1), padding="SAME")
        blur = np.asarray(weights[f"channel_0max_{level}"]["blur_kernel"], np.float32)
        x = tf.nn.depthwise_conv2d(x, blur, (1, 2, 2, 1), "SAME")
    x = convolved(convolved(x, "channel_0middle_0"), "channel_0middle_2")
    for level in (1, 0):
        x = tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)
        x = x if skip_skipone and level == 0 else tf.concat([x, skips[level]], -1)
        x = convolved(convolved(x, f"channel_0up_level_{level}_no_0"), f"channel_0up_level_{level}_no_2")
    return np.asarray(convolved(x, "conv2d_37", relu=False))
