"""Keras files are untrusted: what would run code, read elsewhere or swell is refused before Keras opens it."""

from __future__ import annotations

import json
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from onscope.export.routes import Asked, load
from onscope.runtime import ExportError

from . import nets
from .nets import saved


class Runs:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("ran"),))


@pytest.mark.parametrize("name", ["weights.h5", "network.keras"])
@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_under_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, protocol: int) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(pickle.dumps(Runs(), protocol))
    with pytest.raises(ExportError, match="pickle under the name of a Keras file"):
        load(Path(name), Asked(trust_code=True))
    assert not Path("ran").exists()


@pytest.mark.parametrize("name", ["network.keras", "network.h5"])
def test_lambda_layers_are_code(tmp_path: Path, name: str) -> None:
    add = nets.layers()
    import keras

    given = keras.Input((None, None, 1))
    path = saved(keras.Model(given, add.Lambda(lambda x: x * 3.0, name="thrice")(given)), tmp_path / name)
    with pytest.raises(ExportError, match=r"Lambda 'thrice', which is Python code .*--trust-code"):
        load(path)
    trusted = load(path, Asked(trust_code=True))
    np.testing.assert_allclose(trusted.run(np.full((1, 4, 4, 1), 2, np.float32))[0], 6.0)


CUSTOM = """
import keras
@keras.saving.register_keras_serializable("mine")
class Twice(keras.layers.Layer):
    def call(self, inputs):
        return inputs * 2
"""


def test_custom_layers_need_trust_and_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nets.layers()
    import keras

    code = tmp_path / "code"
    code.mkdir()
    (code / "onscope_test_twice.py").write_text(CUSTOM, encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.syspath_prepend(code)
        import onscope_test_twice  # type: ignore[import-not-found]

        given = keras.Input((None, None, 1))
        path = saved(keras.Model(given, onscope_test_twice.Twice()(given)), tmp_path / "custom.keras")
    monkeypatch.delitem(sys.modules, "onscope_test_twice")
    keras.saving.get_custom_objects().clear()
    with pytest.raises(ExportError, match=r"custom object Twice 'twice' of onscope_test_twice.*--trust-code"):
        load(path)
    with pytest.raises(ExportError, match=r"Twice of the module onscope_test_twice .*--code"):
        load(path, Asked(trust_code=True))
    trusted = load(path, Asked(code=code, trust_code=True))
    np.testing.assert_allclose(trusted.run(np.ones((1, 4, 4, 1), np.float32))[0], 2.0)


def changed(path: Path, change: Any) -> Path:
    """The .keras file with its configuration changed by hand."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("activation", "message"),
    [
        ({"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}, "custom object"),
        ({"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "x"}, "custom object"),
        (
            {"module": "keras.config", "class_name": "function", "config": "enable_unsafe_deserialization"},
            "custom object",
        ),
        ({"module": "keras.utils", "class_name": "get_file", "config": {}}, "custom object"),
        ({"class_name": "__lambda__", "config": {"value": "4wEAAAA="}}, "Python code"),
        ({"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp"}}, "reads other files"),
        ({"module": 3, "class_name": ["a"], "config": {}}, "expected the name of a class"),
    ],
)
def test_objects_that_hide_in_a_configuration(tmp_path: Path, activation: Any, message: str) -> None:
    def hide(config: Any) -> None:
        config["config"]["layers"][1]["config"]["activation"] = activation

    with pytest.raises(ExportError, match=message):
        load(changed(saved(nets.unet(), tmp_path / "network.keras"), hide))


def test_losses_are_not_built(tmp_path: Path) -> None:
    def add_loss(config: Any) -> None:
        config["compile_config"] = {"loss": {"module": "mine", "class_name": "function", "config": "loss"}}

    path = changed(saved(nets.unet(), tmp_path / "network.keras"), add_loss)
    assert load(path).parameters > 0


def test_weights_alone(tmp_path: Path) -> None:
    model = nets.unet()
    path = tmp_path / "network.weights.h5"
    model.save_weights(path)
    with pytest.raises(
        ExportError, match=r"weights alone, .* model.save\(.*CSBDeep and StarDist give the model folder"
    ):
        load(path)


@pytest.mark.parametrize("name", ["network.keras", "network.h5"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_a_file_that_is_cut_off(tmp_path: Path, name: str, share: float) -> None:
    path = saved(nets.unet(), tmp_path / name)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ExportError, match="cut off or damaged") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_member_that_climbs_out_and_one_that_unpacks_to_much(tmp_path: Path) -> None:
    path = saved(nets.unet(), tmp_path / "network.keras")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../outside", b"x")
    with pytest.raises(ExportError, match="leads out of its folder"):
        load(path)
    path = saved(nets.unet(), tmp_path / "network.keras")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(50_000_000))
    with pytest.raises(ExportError, match="50000000 bytes unpacked"):
        load(path)


def test_hdf5_that_leads_elsewhere_or_swells(tmp_path: Path) -> None:
    import h5py

    path = saved(nets.unet(), tmp_path / "network.h5")
    with h5py.File(path, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(ExportError, match="the link 'elsewhere'"):
        load(path)
    path = saved(nets.unet(), tmp_path / "other.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset("empty", (10**6, 10**6), np.float32, chunks=(1000, 1000))
    with pytest.raises(ExportError, match="out of next to nothing"):
        load(path)


def test_hdf5_whose_groups_hold_themselves(tmp_path: Path) -> None:
    import h5py

    path = saved(nets.unet(), tmp_path / "network.h5")
    with h5py.File(path, "a") as file:
        file["model_weights/again"] = file["model_weights"]
    assert load(path).parameters > 0


def test_hdf5_whose_configuration_is_no_text(tmp_path: Path) -> None:
    import h5py

    path = saved(nets.unet(), tmp_path / "network.h5")
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = np.arange(3)
    with pytest.raises(ExportError, match="whose configuration is a ndarray, expected a text"):
        load(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_packed_member_that_is_damaged(tmp_path: Path, packing: int) -> None:
    source, path = saved(nets.unet(), tmp_path / "source.keras"), tmp_path / "network.keras"
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(path, "w", packing) as copy:
        for name in archive.namelist():
            copy.writestr(name, archive.read(name))
    assert load(path).parameters > 0
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("model.weights.h5")
    middle = entry.header_offset + entry.compress_size // 2
    data[middle : middle + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(ExportError, match="damaged"):
        load(path)


def test_many_members_that_swell_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onscope.export.keras_tf._files.MOST_BYTES", 3_000_000)
    path = saved(nets.unet(), tmp_path / "network.keras")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"assets/{number}", bytes(900_000))
    with pytest.raises(ExportError, match="GB unpacked, expected a network's"):
        load(path)


def test_layers_of_keras2_in_a_file_of_keras3(tmp_path: Path) -> None:
    """Keras 3 would import tf_keras where it is installed, and call any function of TensorFlow by its name."""
    written = tmp_path / "written"
    layer = {
        "module": "tf_keras.src.layers.core.tf_op_layer", "class_name": "TFOpLambda", "name": "write",
        "config": {"name": "write", "function": "io.write_file"}, "registered_name": "TFOpLambda",
        "inbound_nodes": [["_CONSTANT_VALUE", -1, str(written), {"contents": "x"}]],
    }  # fmt: skip
    path = changed(saved(nets.unet(), tmp_path / "network.keras"), lambda one: one["config"]["layers"].append(layer))
    with pytest.raises(ExportError, match="custom object TFOpLambda 'write' of tf_keras"):
        load(path)
    assert not written.exists()


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x05\x06" + bytes(18)])
def test_something_else(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "network.keras").write_bytes(data)
    with pytest.raises(ExportError, match="neither a zip archive nor HDF5"):
        load(tmp_path / "network.keras")


def test_a_network_without_an_image(tmp_path: Path) -> None:
    add = nets.layers()
    import keras

    two = [keras.Input((4,)), keras.Input((4,))]
    with pytest.raises(ExportError, match=r"found 2 inputs .* \(\?x4, \?x4\), expected an image"):
        load(saved(keras.Model(two, add.Add()(two)), tmp_path / "two.keras"))


@pytest.mark.parametrize("name", ["network.keras", "network.h5"])
def test_more_weights_than_the_file_holds(tmp_path: Path, name: str) -> None:
    """Keras takes the memory before it looks for the weights."""
    path = saved(nets.unet(), tmp_path / name)
    if name.endswith("keras"):
        changed(path, lambda config: config["config"]["layers"][1]["config"].update(filters=2**30))
    else:
        import h5py

        with h5py.File(path, "a") as file:
            file.attrs["model_config"] = file.attrs["model_config"].replace('"filters": 4', f'"filters": {2**30}')
    with pytest.raises(ExportError, match=r"more weights than the [0-9]+ values that the file holds"):
        load(path)
