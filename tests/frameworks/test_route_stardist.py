"""Folders of StarDist become packages that answer as StarDist's own networks do, and whose labels are StarDist's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("keras")
pytest.importorskip("stardist")

from onscope.export.csbdeep_folder import open_network, read_stardist
from onscope.export.keras_tf import quiet
from onscope.export.routes import load, read_config
from onscope.runtime import ExportError, Frame, FrameId, FrameSpec, Package, Pipeline, Runtime, Stage
from onscope.runtime.decode import decoder
from onscope.runtime.engines import open_session
from onscope.runtime.package import make_step
from onscope.runtime.windows import Gather

from . import folders
from .test_route_csbdeep import absent, close, image, live

Array = npt.NDArray[Any]
Make = Callable[..., Any]
KINDS: dict[str, dict[str, Any]] = {
    "grid 1": {},
    "grid 2": {"grid": (2, 2)},
    "grid 4, batch norm, classes": {"grid": (4, 4), "unet_batch_norm": True, "n_classes": 3, "n_channel_in": 3},
    "no convolution after": {"net_conv_after_unet": 0, "unet_activation": "elu", "unet_n_conv_per_depth": 1},
    "deep": {"grid": (1, 2, 2), "unet_n_depth": 1, "anisotropy": (2, 1, 1)},
    "deep resnet": {"grid": (2, 4, 4), "backbone": "resnet", "resnet_batch_norm": True},
    "deep resnet with classes": {"grid": (1, 1, 1), "backbone": "resnet", "n_classes": 1},
}


@pytest.mark.parametrize("kind", KINDS)
def test_our_network_is_stardists(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = folders.stardist(tmp_path / "cells", **KINDS[kind])
    monkeypatch.setattr("importlib.util.find_spec", absent("stardist"))
    opened = open_network(tmp_path / "cells", read_stardist(read_config(tmp_path / "cells")))
    assert "stardist" not in opened.tools
    given = np.random.default_rng(2).normal(0, 1, (2, *(16,) * model.config.n_dim, model.config.n_channel_in))
    for expected, found in zip(model.keras_model([given]), opened.model(given), strict=True):
        assert np.abs(found.numpy() - expected.numpy()).max() <= 1e-6 * np.ptp(expected.numpy())


@pytest.mark.parametrize("kind", ["grid 1", "grid 2", "grid 4, batch norm, classes", "deep", "deep resnet"])
def test_packages_answer_as_stardist(tmp_path: Path, kind: str, make: Make) -> None:
    model = folders.stardist(tmp_path / "cells", **KINDS[kind])
    original = load(tmp_path / "cells")
    assert "stardist" in original.tools
    deep, channels = model.config.n_dim == 3, model.config.n_channel_in
    frames = image((*((16,) if deep else ()), 48, 32, channels), 4)
    report = make(original, frames[None])
    assert report.passed
    assert [one.where for one in report.parity][-1] == "two at once"
    package = Package.load(report.folder)
    normal = folders.percentiles(frames, 1, 99.8, tuple(range(frames.ndim - 1)))
    found = open_session(package.weights, "cpu").run([np.stack([normal, normal[::-1]]).astype(np.float32)])
    expected = [output.numpy() for output in model.keras_model([np.stack([normal, normal[::-1]])])]
    assert close(found[0], np.concatenate(expected[:2], axis=-1))
    assert len(found) == len(expected) - 1
    if len(found) == 2:
        assert close(found[1], expected[2], 1e-5)
        assert [output.name for output in package.outputs] == ["objects", "classes"]
    if not deep:
        step = original.stated.step or 1
        odd = image((51, 35, channels), 3)
        padded = folders.padded(folders.percentiles(odd, 1, 99.8, (0, 1)), (step, step, 1))
        grid = model.config.grid[0]
        rows, columns = math.ceil(51 / grid), math.ceil(35 / grid)  # as StarDist's own predict cuts it
        whole = np.concatenate(model.keras_model([padded[None]])[:2], axis=-1)[0, :rows, :columns]
        answer = live(tmp_path / "package", odd if channels > 1 else odd[..., 0], False, tmp_path)["objects"]
        assert close(answer[0], whole, 2e-5)


@pytest.mark.parametrize("grid", [1, 2])
def test_labels_of_a_live_run_are_stardists(tmp_path: Path, make: Make, grid: int) -> None:
    """Random weights, with biases that make objects of 6 pixels and more of about every tenth place."""
    from csbdeep.utils import normalize

    model = folders.stardist(tmp_path / "cells", grid=(grid, grid), n_rays=32)
    with quiet():
        folders.make_objects(model, tmp_path / "cells")
        frame = image((96, 112), 7)
        expected, _ = model.predict_instances(normalize(frame, 1, 99.8))
    assert expected.max() > 20
    report = make(load(tmp_path / "cells"), frame[None, ..., None])
    assert report.passed
    with Runtime(Pipeline([Stage("cells", Package.load(report.folder))]), worker="thread") as runtime:
        runtime.prepare(FrameSpec((96, 112), "uint16", camera="cam"))
        results = runtime.subscribe()
        runtime.submit(Frame(FrameId("run", "cam", 0, 0), frame))
        assert runtime.drain(60)
    (result,) = list(results)
    found = result["cells"]
    assert (found.shape, found.dtype.name) == (expected.shape, "int32")
    assert f1(expected, found, 0.9) > 0.97


@pytest.mark.parametrize("backbone", ["unet", "resnet"])
def test_label_volumes_of_a_live_run_are_stardists(tmp_path: Path, make: Make, backbone: str) -> None:
    from csbdeep.utils import normalize

    depth = {"unet_n_depth": 1} if backbone == "unet" else {}
    folder = tmp_path / "cells"
    model = folders.stardist(folder, grid=(1, 2, 2), rays=32, backbone=backbone, anisotropy=(2, 1, 1), **depth)
    with quiet():
        folders.make_objects(model, folder)
        stack = image((16, 64, 48), 8)
        expected, _ = model.predict_instances(normalize(stack, 1, 99.8))
    assert expected.max() > 10
    report = make(load(folder), stack[None, ..., None])
    assert report.passed
    assert [one.name for one in report.metrics][:3] == ["objects", "F1", "IoU"]
    pipeline = Pipeline([Stage("cells", Package.load(report.folder))], Gather(16, "z"))
    with Runtime(pipeline, worker="thread") as runtime:
        runtime.prepare(FrameSpec((64, 48), "uint16", camera="cam"))
        results = runtime.subscribe()
        for plane, frame in enumerate(stack):
            runtime.submit(Frame(FrameId("run", "cam", 0, plane), frame, index={"z": plane}))
        assert runtime.drain(60)
    (result,) = list(results)
    found = result["cells"]
    assert (found.shape, found.dtype.name) == (expected.shape, "int32")
    assert f1(expected, found, 0.9) > 0.97
    assert np.mean((expected > 0) == (found > 0)) > 0.997  # an overlap at the threshold falls to either side


@pytest.mark.real_data
@pytest.mark.parametrize(("grid", "anisotropy"), [((1, 2, 2), (2, 1, 1)), ((2, 2, 2), None)])
def test_nuclei_in_a_stack_are_decoded_as_stardist_does(
    shared_data: Path, grid: tuple[int, ...], anisotropy: tuple[int, ...] | None
) -> None:
    """What a network is trained to answer for real nuclei, with noise as an untrained one has it."""
    import tifffile
    from stardist.geometry import polyhedron_to_label, star_dist3D
    from stardist.nms import non_maximum_suppression_3d
    from stardist.rays3d import Rays_GoldenSpiral
    from stardist.utils import edt_prob

    labels = tifffile.imread(shared_data / "nuclei_with_labels_stardist" / "mask3d.tif").astype(np.int32)
    labels = labels[:30, :60, :56]
    rays, random = Rays_GoldenSpiral(32, anisotropy=anisotropy), np.random.default_rng(0)
    apart = tuple(slice(None, None, step) for step in grid)
    probability = edt_prob(labels, anisotropy=anisotropy)[apart]
    probability = (probability * random.uniform(0.8, 1, probability.shape)).astype(np.float32)
    distances = star_dist3D(labels, rays, grid=grid, mode="cpp")
    distances = np.maximum(distances * random.normal(1, 0.12, distances.shape), 1e-3).astype(np.float32)
    told = {"nms_thresh": 0.3, "prob_thresh": 0.3, "b": 2}
    points, scores, kept = non_maximum_suppression_3d(distances, probability, rays, grid, **told)
    expected = polyhedron_to_label(kept, points, rays, prob=scores, shape=labels.shape, verbose=False)
    arguments = {
        "prob_threshold": 0.3, "nms_threshold": 0.3, "n_rays": 32, "grid": grid, "b": 2,
        "anisotropy": anisotropy or (1, 1, 1),
    }  # fmt: skip
    decode = decoder(["z", "y", "x", "channel"], {}, [make_step("stardist_postprocessing", arguments)])
    found, _ = decode(np.concatenate([probability[..., None], distances], axis=-1))
    assert len(np.unique(expected)) > 25
    assert f1(expected, found, 0.9) > 0.98
    assert np.mean((expected > 0) == (found > 0)) > 0.999


@pytest.mark.real_data
@pytest.mark.parametrize("grid", [1, 2])
@pytest.mark.parametrize("overlap", [0.2, 0.4])
def test_nuclei_are_decoded_as_stardist_does(shared_data: Path, grid: int, overlap: float) -> None:
    """What a network is trained to answer for real nuclei, with noise as an untrained one has it."""
    import tifffile
    from stardist.geometry import polygons_to_label, star_dist
    from stardist.nms import non_maximum_suppression
    from stardist.utils import edt_prob

    labels = tifffile.imread(shared_data / "nuclei_with_labels_stardist" / "mask2d.tif").astype(np.int32)
    random = np.random.default_rng(grid)
    probability = edt_prob(labels)[::grid, ::grid] * random.uniform(0.8, 1, (512 // grid, 512 // grid))
    distances = star_dist(labels, 32, grid=(grid, grid), mode="cpp")
    distances = np.maximum(distances * random.normal(1, 0.12, distances.shape), 1e-3).astype(np.float32)
    told = {"nms_thresh": overlap, "prob_thresh": 0.3, "b": 2}
    points, scores, kept = non_maximum_suppression(distances, probability, (grid, grid), **told)
    expected = polygons_to_label(kept, points, prob=scores, shape=labels.shape)
    arguments = {"prob_threshold": 0.3, "nms_threshold": overlap, "n_rays": 32, "grid": (grid, grid), "b": 2}
    decode = decoder(["y", "x", "channel"], {}, [make_step("stardist_postprocessing", arguments)])
    found, _ = decode(np.concatenate([probability[..., None], distances], axis=-1).astype(np.float32))
    assert expected.max() > 100
    assert f1(expected, found, 0.5) > 0.98
    assert f1(expected, found, 0.9) > 0.96


def f1(expected: Array, found: Array, overlap: float) -> float:
    from stardist.matching import matching

    return float(matching(expected, found, thresh=overlap).f1)


@pytest.mark.parametrize("grid", [(2, 2), (1, 2, 2)])
def test_the_description_is_of_the_labels(tmp_path: Path, make: Make, grid: tuple[int, ...]) -> None:
    """As BioImage.IO has it, and bioimageio.core with StarDist's own code comes to the same labels."""
    core = pytest.importorskip("bioimageio.core")
    more = {"n_rays": 32} if len(grid) == 2 else {"rays": 32, "unet_n_depth": 1, "anisotropy": (2, 1, 1)}
    folder = tmp_path / "cells"
    model = folders.stardist(folder, grid, **more)
    with quiet():
        folders.make_objects(model, folder)
    stack = image((*(16,) * (len(grid) - 2), 64, 48), 9)
    report = make(load(folder), stack[None, ..., None])
    package = Package.load(report.folder)
    (labels,) = package.load_test_outputs()
    assert (labels.shape, labels.dtype.name) == ((1, *stack.shape, 1), "int32")
    assert labels.max() > 10
    assert package.outputs[0].channels == 33  # what the network answers
    with quiet():
        predicted = core.predict(model=report.folder / "rdf.yaml", inputs={"raw": package.test_inputs[0]})
    theirs = np.asarray(predicted.members["objects"].data).reshape(stack.shape)
    assert f1(labels.reshape(stack.shape), theirs, 0.9) > 0.97


def test_what_a_folder_states(tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    folders.stardist(folder, grid=(2, 2), n_channel_in=3)
    stated = load(folder).stated
    assert (stated.axes, stated.output_axes, stated.output_names) == ("byxc", ("byxc",), ("objects",))
    assert (stated.minimum, stated.step, stated.shape) == (16, 8, (1, 256, 256, 3))
    assert stated.pre[0].arguments["axes"] == ("y", "x")
    arguments = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 8, "grid": (2, 2), "b": 2}
    assert dict(stated.post[0][0].arguments) == arguments
    assert "prob 0.5, nms 0.4" in stated.notes[1]
    (folder / "thresholds.json").write_text('{"prob": 0.479, "nms": 1.5}')
    stated = load(folder).stated
    assert dict(stated.post[0][0].arguments) == {**arguments, "prob_threshold": 0.479}
    assert stated.notes[1].endswith("usual thresholds were taken: nms 0.4")


def test_what_a_folder_of_stacks_states(tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    folders.stardist(folder, grid=(1, 2, 2), unet_n_depth=1, anisotropy=(2, 1, 1))
    stated = load(folder).stated
    assert (stated.axes, stated.step, stated.shape) == ("bzyxc", 4, (1, 16, 64, 64, 1))
    arguments = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 8, "grid": (1, 2, 2), "b": 2}
    assert dict(stated.post[0][0].arguments) == {**arguments, "anisotropy": (2, 1, 1), "overlap_label": None}
    spiral = rays_of(folder, {"name": "Rays_GoldenSpiral", "kwargs": {"n": 8, "anisotropy": None}})
    assert spiral.post[0][0].arguments["anisotropy"] == (1, 1, 1)
    other = rays_of(folder, {"name": "Rays_Octo", "kwargs": {"n_level": 2}})
    assert other.post == ((),)
    assert "the rays are no golden spiral" in other.notes[1]


@pytest.mark.parametrize(
    ("rays", "words"),
    [
        ({"name": "__import__('os').system('x')", "kwargs": {}}, "name .*in rays_json of config.json, expected one of"),
        ({"name": "Rays_GoldenSpiral", "kwargs": {"n": 9}}, "rays_json of 9 rays and n_rays 8"),
        ({"name": "Rays_GoldenSpiral", "kwargs": {"n": 8, "anisotropy": [1, 0, 1]}}, "3 numbers from 0.1 to 100"),
        ({"name": "Rays_GoldenSpiral", "kwargs": [8]}, "kwargs .*expected names with values"),
        ("Rays_GoldenSpiral", "rays_json .*expected names with values"),
    ],
)
def test_rays_that_are_none(tmp_path: Path, rays: Any, words: str) -> None:
    folders.stardist(tmp_path / "cells", grid=(1, 2, 2), unet_n_depth=1)
    with pytest.raises(ExportError, match=words):
        rays_of(tmp_path / "cells", rays)


def rays_of(folder: Path, rays: Any) -> Any:
    """What the folder states with other rays in its config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rays_json": rays}))
    return load(folder).stated


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_rays": 10**6}, "n_rays 1000000 .*from 3 to 1024"),
        ({"n_rays": 16}, "kernel of 1x1x8x8 for the layer 'dist' .* expected 1x1x8x16"),
        ({"n_rays": "8"}, "n_rays '8'"),
        ({"grid": [3, 3]}, "expected powers of 2"),
        ({"grid": [2, 2]}, "no weights for the layer"),
        ({"grid": [1]}, "2 whole numbers"),
        ({"backbone": "resnet"}, "backbone 'resnet' .*expected one of unet"),
        ({"n_classes": 2}, "no weights for the layer 'features_class'"),
        ({"unet_prefix": "../../x"}, "unet_prefix"),
        ({"unet_pool": [0, 2]}, "unet_pool"),
        ({"unet_expansion": 1e300}, "unet_expansion"),
        ({"unet_n_filter_base": 1024, "unet_n_depth": 8, "unet_expansion": 4}, "expected at least [0-9]+ for"),
        ({"net_conv_after_unet": 4096}, "expected at least"),
        ({"axes": "TYXC"}, "axis T|2 whole numbers"),
    ],
)
def test_configurations_that_do_not_fit(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    folders.stardist(tmp_path / "cells")
    path = tmp_path / "cells" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ExportError, match=words) as caught:
        load(tmp_path / "cells")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ['{"prob": "0.5"}', '{"prob": NaN}', "[0.5, 0.4]", '{"prob": 0.5', "{" * 10**6])
def test_thresholds_that_are_none(tmp_path: Path, content: str) -> None:
    folders.stardist(tmp_path / "cells")
    (tmp_path / "cells" / "thresholds.json").write_text(content)
    with pytest.raises(ExportError, match=r"thresholds\.json"):
        load(tmp_path / "cells")


@pytest.mark.parametrize("grid", [(1, 1), (1, 2, 2)])
def test_weights_that_are_cut_off(tmp_path: Path, grid: tuple[int, ...]) -> None:
    folders.stardist(tmp_path / "cells", grid=grid, unet_n_depth=1)
    weights = tmp_path / "cells" / "weights_best.h5"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ExportError, match="no whole HDF5 file"):
        load(tmp_path / "cells")
