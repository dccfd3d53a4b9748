"""Packages of both formats, written from a short description: what the agreement with bioimageio.core is shown on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper
from ruamel.yaml import YAML

from .describe import contents
from .networks import KINDS, Kind, Nodes

Array = npt.NDArray[Any]
Steps = tuple[tuple[str, Mapping[str, Any]], ...]
"""BioImage.IO ids of format 0.5 with their arguments; the axes are those of 0.5 in both formats."""
CANONICAL = "bctziyx"
DEEP = "tzi"
HIDDEN = 3
"""Channels of a recurrent network's state."""
NEWEST = 26
"""The newest opset that onnxruntime 1.31 takes, with its IR version 13."""
IR = {9: 4, 11: 6, 13: 7, 17: 8, 20: 9, 21: 10}


@dataclass(frozen=True)
class Recipe:
    """One package. `layout` holds the axes of the input as letters of format 0.4 (b c t z i y x).

    `frames` is the size of t, z or i (the described one, too, where `stack` is "fixed"), `collapse` leaves that axis
    out of the output. `side` is the size of the test tensors along y and x, and the described one where `sizes` is
    "fixed"; "referenced": x is as large as y. `described` is the dtype of the input in the description, `taken` that of
    the graph's input, `given` that of the graph's output and `answered` the one of the described output. `inner_halo`
    is the halo of the outputs.
    """

    network: str = "conv"
    layout: str = "bcyx"
    channels: int = 1
    out_channels: int = 1
    frames: int = 3
    collapse: bool = False
    stack: Literal["fixed", "parametrised"] = "fixed"
    sizes: Literal["fixed", "parametrised", "referenced"] = "parametrised"
    side: tuple[int, int] = (24, 32)
    described: str = "float32"
    taken: str = "float32"
    given: str = "float32"
    answered: str = "float32"
    pre: Steps = ()
    post: Steps = ()
    opset: int = 20
    format: Literal["0.5", "0.4"] = "0.5"
    inner_halo: int = 0
    recurrent: bool = False
    seed: int = 0

    @property
    def kind(self) -> Kind:
        return KINDS[self.network]

    @property
    def out_layout(self) -> str:
        return "".join(letter for letter in self.layout if not (self.collapse and letter in DEEP))

    def shape(self, side: tuple[int, int] | None = None) -> tuple[int, ...]:
        """Of the input, for frames of `side` pixels."""
        y, x = side or self.side
        sizes = {"b": 1, "c": self.channels, "t": self.frames, "z": self.frames, "i": self.frames, "y": y, "x": x}
        return tuple(sizes[letter] for letter in self.layout)

    def pads(self, side: tuple[int, int]) -> dict[str, tuple[int, int]]:
        """By axis: the halo in pixels of the input, and the pixels that bring the frame to a size the network takes."""
        halo = round(self.inner_halo / self.kind.scale)
        least = [size + 2 * halo for size in side]
        if self.sizes == "referenced":
            least = [max(least)] * 2
        step, low = self.kind.step, self.kind.least
        grown = [low + -(-max(size - low, 0) // step) * step for size in least]
        takes = self.side if self.sizes == "fixed" else grown
        fills = [size - own - 2 * halo for size, own in zip(takes, side, strict=True)]
        return {"y": (halo, fills[0]), "x": (halo, fills[1])}

    @property
    def core_refuses(self) -> bool:
        """Statistics of outputs, and thresholds along an axis (see oracle.py)."""
        own = any(
            (id in ("zero_mean_unit_variance", "scale_range") and arguments.get("reference_tensor") is None)
            or id == "scale_mean_variance"
            or any(key.endswith("_percentile") and id == "clip" for key in arguments)
            for id, arguments in self.post
        )
        return own or any(id == "binarize" and "axis" in arguments for id, arguments in (*self.pre, *self.post))


def write(folder: Path, recipe: Recipe) -> Path:
    """Write the package into `folder`, a new one.

    Its test outputs are those of the network alone, without pre- and postprocessing, until `reproducible` has been
    called with what bioimageio.core predicts.
    """
    folder.mkdir(parents=True)
    model = network(recipe)
    onnx.save(model, folder / "weights.onnx")
    inputs = [image(recipe, recipe.side)]
    if recipe.recurrent:
        inputs.append(np.zeros((1, HIDDEN, *recipe.side), np.float32))
    for number, array in enumerate(inputs):
        np.save(folder / f"input{number}.npy", array)
    for number, array in enumerate(_raw_outputs(model, inputs)):
        np.save(folder / f"output{number}.npy", array.astype(recipe.answered if number == 0 else np.float32))
    (folder / "README.md").write_text("# A network for tests\n\n## Validation\n", encoding="utf-8")
    describe(folder, recipe)
    return folder


def describe(folder: Path, recipe: Recipe) -> None:
    """Write the rdf.yaml with the hashes of the files as they are now."""

    def file(name: str) -> dict[str, str]:
        return {"source": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}

    with (folder / "rdf.yaml").open("w", encoding="utf-8") as out:
        YAML(typ="safe", pure=True).dump(contents(recipe, file, folder.name), out)


def reproducible(folder: Path, recipe: Recipe, outputs: Sequence[Array]) -> None:
    """Take `outputs` for the test outputs, so that the package gives its own test tensors."""
    for number, array in enumerate(outputs):
        np.save(folder / f"output{number}.npy", array)
    describe(folder, recipe)


def image(
    recipe: Recipe, side: tuple[int, int], seed: int = 0, dtype: str | None = None, scene: str = "ordinary"
) -> Array:
    """A test image in the described dtype: camera offset, gradient, a few bright spots and noise, in counts.

    `scene` makes of it what cameras also give (see `SCENES`).
    """
    random = np.random.default_rng(recipe.seed + 1000 * seed)
    shape = recipe.shape(side)
    dtype = dtype or recipe.described
    top = 250.0 if dtype == "uint8" else 4000.0
    values = top * (0.03 + 0.3 * random.beta(2, 6, shape))
    values += top * 0.2 * np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    values[random.random(shape) > 0.98] *= 1.6
    return np.clip(_SCENES[scene](values, top, random), 0, 65535.0 if dtype == "uint16" else top).astype(dtype)


_SCENES: dict[str, Callable[[Array, float, np.random.Generator], Array]] = {
    "ordinary": lambda values, top, random: values,
    "constant": lambda values, top, random: np.full_like(values, top // 3),
    "dark": lambda values, top, random: np.where(random.random(values.shape) > 0.97, 3.0, 0.0),
    "two counts": lambda values, top, random: 100.0 + (random.random(values.shape) > 0.5),
    "hot pixel": lambda values, top, random: np.where(values == values.max(), top, values / 8),
    "saturated": lambda values, top, random: np.where(values > np.median(values), top, values),
    "full range": lambda values, top, random: values * 16 if top > 255 else values,
    "bright background": lambda values, top, random: top * 14 * (top > 255) + 0.9 * top + values / 64,
}
SCENES = tuple(_SCENES)


def network(recipe: Recipe) -> onnx.ModelProto:
    """The ONNX graph alone: `frame` (and `hidden`) in, `image` (`extra`, `hidden_out`) out."""
    net = Nodes(recipe.opset, recipe.seed)
    dims = 3 if any(letter in DEEP for letter in recipe.layout) else 2
    x = "frame" if recipe.taken == "float32" else net.op("Cast", "frame", to=_onnx_type("float32"))
    order = sorted(recipe.layout, key=CANONICAL.index)
    if list(recipe.layout) != order:
        x = net.op("Transpose", x, perm=[recipe.layout.index(letter) for letter in order])
    missing = [at for at, letter in enumerate("bc") if letter not in recipe.layout]
    if missing:
        x = net.unsqueeze(x, missing)
    if recipe.recurrent:
        x = net.op("Concat", x, "hidden", axis=1)
        x = hidden = net.op("Tanh", net.conv(x, recipe.channels + HIDDEN, HIDDEN, dims))
    channels = HIDDEN if recipe.recurrent else recipe.channels
    outputs = []
    for y in recipe.kind.build(net, x, channels, recipe.out_channels, dims):
        if recipe.collapse:
            y = net.squeeze(net.mean(y, [2]), [2])
        if missing:
            y = net.squeeze(y, missing)
        left = [letter for letter in order if letter in recipe.out_layout]
        if list(recipe.out_layout) != left:
            y = net.op("Transpose", y, perm=[left.index(letter) for letter in recipe.out_layout])
        outputs.append(y)
    if recipe.given != "float32":
        info = np.iinfo(recipe.given)
        outputs[0] = net.op("Cast", net.clip(outputs[0], 0.0, float(info.max)), to=_onnx_type(recipe.given))
    named = dict(zip(["image", "extra"], outputs, strict=False))
    if recipe.recurrent:
        named["hidden_out"] = hidden
    for name, made in named.items():
        net.nodes.append(helper.make_node("Identity", [made], [name], name=f"node_{name}"))
    shape = [None if letter in "yx" else size for letter, size in zip(recipe.layout, recipe.shape(), strict=True)]
    takes = [helper.make_tensor_value_info("frame", _onnx_type(recipe.taken), shape)]
    if recipe.recurrent:
        takes.append(helper.make_tensor_value_info("hidden", _onnx_type("float32"), [1, HIDDEN, None, None]))
    ranks = {"image": len(recipe.out_layout), "extra": len(recipe.out_layout), "hidden_out": 4}
    gives = [
        helper.make_tensor_value_info(
            name, _onnx_type(recipe.given if name == "image" else "float32"), [None] * ranks[name]
        )
        for name in named
    ]
    graph = helper.make_graph(net.nodes, "generated", takes, gives, net.weights)
    ir = IR.get(recipe.opset, 10 if recipe.opset < 23 else 13)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", recipe.opset)], ir_version=ir)
    if ir < 4:
        raise ValueError("initializers need not be inputs from IR 4 on")
    onnx.checker.check_model(model)
    return model


def run(model: onnx.ModelProto | Path, inputs: Mapping[str, Array]) -> list[Array]:
    """The network alone, by ONNX Runtime."""
    import onnxruntime

    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(source, providers=["CPUExecutionProvider"])
    return [np.asarray(each) for each in session.run(None, dict(inputs))]


def _raw_outputs(model: onnx.ModelProto, inputs: Sequence[Array]) -> list[Array]:
    given = {}
    for port, array in zip(model.graph.input, inputs, strict=True):
        given[port.name] = array.astype(helper.tensor_dtype_to_np_dtype(port.type.tensor_type.elem_type))
    return run(model, given)


def _onnx_type(dtype: str) -> int:
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
