"""The rdf.yaml of a generated package, in format 0.5 and 0.4."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .generated import Recipe

IDS = {"b": "batch", "c": "channel", "t": "time", "z": "z", "i": "index", "y": "y", "x": "x"}
KIND = {"b": "batch", "c": "channel", "t": "time", "z": "space", "i": "index", "y": "space", "x": "space"}
File = Callable[[str], dict[str, str]]


def contents(recipe: Recipe, file: File, name: str) -> dict[str, Any]:
    """The description of one package; `file` gives source and sha256 of one of its files."""
    common = {
        "type": "model",
        "name": f"generated {name}"[:60],
        "description": "A network for tests.",
        "license": "BSD-3-Clause",
        "authors": [{"name": "The onscope developers"}],
        "cite": [{"text": "None", "doi": "10.1234/none"}],
        "weights": {"onnx": {**file("weights.onnx"), "opset_version": recipe.opset}},
        "config": {"onscope": _settings(recipe)},
    }
    if recipe.format == "0.4":
        return {**common, **_old(recipe)}
    inputs = [_input(recipe, file)]
    if recipe.recurrent:
        inputs.append({**_hidden("hidden", file("input1.npy"))})
    outputs = [_output(recipe, "image", recipe.answered, _steps(recipe.post), file("output0.npy"))]
    names = ["extra"] * (recipe.kind.outputs - 1)
    for number, output in enumerate(names, start=1):
        outputs.append(_output(recipe, output, "float32", [], file(f"output{number}.npy")))
    if recipe.recurrent:
        outputs.append(_hidden("hidden_out", file(f"output{len(outputs)}.npy")))
    more = {"format_version": "0.5.12", "documentation": file("README.md"), "inputs": inputs, "outputs": outputs}
    return {**common, **more}


def _settings(recipe: Recipe) -> dict[str, Any]:
    settings: dict[str, Any] = {"decode": "image"}
    if recipe.recurrent:
        settings["state"] = [{"input": "hidden", "output": "hidden_out"}]
    return settings


def _steps(steps: Any) -> list[dict[str, Any]]:
    return [{"id": id, "kwargs": dict(arguments)} if arguments else {"id": id} for id, arguments in steps]


def _data(dtype: str) -> dict[str, Any]:
    return {"type": dtype, "values": [False, True]} if dtype == "bool" else {"type": dtype}


def _input(recipe: Recipe, file: File) -> dict[str, Any]:
    axes: list[dict[str, Any]] = []
    for letter, size in zip(recipe.layout, recipe.shape(), strict=True):
        axis: dict[str, Any] = {"type": KIND[letter], "id": IDS[letter]}
        if letter == "b":
            axis["size"] = 1
        elif letter == "c":
            axis["channel_names"] = [f"c{number}" for number in range(size)]
        elif letter in "yx" and recipe.sizes == "referenced" and letter == "x":
            axis["size"] = {"tensor_id": "frame", "axis_id": "y"}
        elif letter in "yx" and recipe.sizes != "fixed":
            axis["size"] = {"min": recipe.kind.least, "step": recipe.kind.step}
        elif letter in "tzi" and recipe.stack == "parametrised":
            axis["size"] = {"min": 1, "step": 1}
        else:
            axis["size"] = size
        axes.append(axis)
    pre = _steps(recipe.pre)
    last = pre[-1]["id"] if pre else ""
    if last == "binarize" or (recipe.taken != recipe.described and last != "ensure_dtype"):
        pre.append({"id": "ensure_dtype", "kwargs": {"dtype": recipe.taken}})
    tensor = {"id": "frame", "axes": axes, "test_tensor": file("input0.npy"), "data": _data(recipe.described)}
    return {**tensor, "preprocessing": pre} if pre else tensor


def _output(recipe: Recipe, name: str, dtype: str, post: list[dict[str, Any]], test: dict[str, str]) -> dict[str, Any]:
    axes: list[dict[str, Any]] = []
    sizes = dict(zip(recipe.layout, recipe.shape(), strict=True))
    for letter in recipe.out_layout:
        axis: dict[str, Any] = {"type": KIND[letter], "id": IDS[letter]}
        if letter == "b":
            axis["size"] = 1
        elif letter == "c":
            axis["channel_names"] = [f"o{number}" for number in range(recipe.out_channels)]
        elif letter not in "yx" and recipe.stack == "parametrised":
            axis["size"] = {"tensor_id": "frame", "axis_id": IDS[letter]}
        elif letter not in "yx":
            axis["size"] = sizes[letter]
        elif recipe.sizes == "fixed" and not recipe.inner_halo:
            axis["size"] = int(sizes[letter] * recipe.kind.scale + recipe.kind.offset)
        else:
            follows = "y" if recipe.sizes == "referenced" else letter
            axis["size"] = {"tensor_id": "frame", "axis_id": follows, "offset": recipe.kind.offset}
            axis["scale"] = 1 / recipe.kind.scale
            if recipe.inner_halo:
                axis["halo"] = recipe.inner_halo
        axes.append(axis)
    tensor = {"id": name, "axes": axes, "test_tensor": test, "data": _data(dtype)}
    return {**tensor, "postprocessing": post} if post else tensor


def _hidden(name: str, test: dict[str, str]) -> dict[str, Any]:
    axes: list[dict[str, Any]] = [
        {"type": "batch", "id": "batch", "size": 1},
        {"type": "channel", "id": "channel", "channel_names": ["h0", "h1", "h2"]},
    ]
    for id in ("y", "x"):
        axes.append({"type": "space", "id": id, "size": {"tensor_id": "frame", "axis_id": id}})
    return {"id": name, "axes": axes, "test_tensor": test, "data": {"type": "float32"}}


def _old(recipe: Recipe) -> dict[str, Any]:
    """What format 0.4 says otherwise."""
    shape = list(recipe.shape())
    taken: Any = shape
    if recipe.sizes != "fixed":
        steps = [recipe.kind.step if letter in "yx" else 0 for letter in recipe.layout]
        least = [recipe.kind.least if letter in "yx" else n for letter, n in zip(recipe.layout, shape, strict=True)]
        taken = {"min": least, "step": steps}
    inputs = [{"name": "frame", "axes": recipe.layout, "data_type": recipe.described, "shape": taken}]
    if recipe.pre:
        inputs[0]["preprocessing"] = _old_steps(recipe.pre, recipe.layout)
    outputs: list[dict[str, Any]] = []
    for number, name in enumerate(["image", "extra"][: recipe.kind.outputs]):
        dtype = recipe.answered if number == 0 else "float32"
        output = {"name": name, "axes": recipe.out_layout, "data_type": dtype, "shape": _old_shape(recipe)}
        if recipe.inner_halo:
            output["halo"] = [recipe.inner_halo if letter in "yx" else 0 for letter in recipe.out_layout]
        if number == 0 and recipe.post:
            output["postprocessing"] = _old_steps(recipe.post, recipe.out_layout)
        outputs.append(output)
    return {
        "format_version": "0.4.10",
        "documentation": "README.md",
        "timestamp": "2024-01-01T00:00:00",
        "inputs": inputs,
        "outputs": outputs,
        "test_inputs": ["input0.npy"],
        "test_outputs": [f"output{number}.npy" for number in range(len(outputs))],
    }


def _old_shape(recipe: Recipe) -> Any:
    sizes = dict(zip(recipe.layout, recipe.shape(), strict=True))
    if recipe.sizes == "fixed":
        sizes["c"] = recipe.out_channels
        grown = {letter: int(sizes[letter] * recipe.kind.scale + recipe.kind.offset) for letter in "yx"}
        return [grown.get(letter, sizes[letter]) for letter in recipe.out_layout]
    scale = [recipe.kind.scale if letter in "yx" else 1.0 for letter in recipe.out_layout]
    offset = [recipe.kind.offset / 2 if letter in "yx" else 0.0 for letter in recipe.out_layout]
    if "c" in recipe.out_layout:
        offset[recipe.out_layout.index("c")] = (recipe.out_channels - recipe.channels) / 2
    return {"reference_tensor": "frame", "scale": scale, "offset": offset}


def _old_steps(steps: Any, layout: str) -> list[dict[str, Any]]:
    letters = {id: letter for letter, id in IDS.items()}
    written = []
    for id, arguments in steps:
        given: dict[str, Any] = {
            key: float(value) if isinstance(value, np.floating) else value for key, value in arguments.items()
        }
        if id == "fixed_zero_mean_unit_variance":
            jointly = [letter for letter in layout if letter != "b" and IDS[letter] != given.get("axis")]
            given = {"mode": "fixed", "axes": "".join(jointly), "mean": given["mean"], "std": given["std"]}
            id = "zero_mean_unit_variance"
        elif id in ("zero_mean_unit_variance", "scale_range", "scale_mean_variance"):
            jointly = [letters[axis] for axis in given.pop("axes", [IDS[letter] for letter in layout])]
            mode = "per_dataset" if "b" in jointly else "per_sample"
            given |= {"mode": mode, "axes": "".join(letter for letter in jointly if letter != "b")}
        written.append({"name": id, "kwargs": given} if given else {"name": id})
    return written
