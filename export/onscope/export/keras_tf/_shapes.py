"""What a Keras model says of its input: axes, sizes that it takes, the step between them, and names of its outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from onscope.runtime import ExportError

from .._original import Array, FurtherInput, Stated
from ._door import failures, quiet
from ._inputs import Shape, frame_first, further_inputs, size_beside, that_fit
from ._layers import flat, input_dtypes, input_shapes, layers_of
from ._network import KerasNetwork
from ._steps import step_by

if TYPE_CHECKING:
    import keras

SIDE, SMALLEST, DEPTH = 256, 16, 16
"""Height and width of a simulated example, the least that is stated, and the planes of a free z."""
COMMON, TRIED = 384, 96
"""Heights and widths from which sizes are tried: multiples of all steps, and of those that are tried by running."""


def stated_by(model: keras.Model) -> tuple[keras.Model, Stated]:
    """The model, with free height and width if it can be rebuilt so, and what it says; nothing is run but shapes.

    A model whose height or width is fixed is built again from its configuration with None there, its weights kept; the
    notes say so. Where that changes its answers, or its sizes cannot follow, it stays fixed, as models of several
    inputs do. Raises ExportError for a model without an image among its inputs.
    """
    shapes = input_shapes(model)
    place, *others = frame_first(shapes, f"the Keras model {model.name}")
    shape, axes = shapes[place], axes_of(shapes[place], _channels_first(model))
    outputs = [tuple(output.shape) for output in flat(model.outputs)]
    stated = described(shape, axes, outputs, [str(name) for name in getattr(model, "output_names", ())])
    if not axes:
        return model, stated
    if others:
        return model, _with_further(model, stated, [place, *others])
    if not stated.fixed:
        step = step_by(lambda size: _sizes(model, axes, size), COMMON)
        return model, with_step(stated, step) if step else tried_out(stated, KerasNetwork(model).run_on)
    freed = _freed(model, axes)
    step = None if freed is None else step_by(lambda size: _sizes(freed, axes, size), COMMON)
    if freed is None or step is None:
        return model, stated
    size = "x".join(str(shape[axes.index(letter)]) for letter in "yx")
    note = f"the model was built for frames of {size} alone; it was built again for any size, with the same weights"
    free = tuple(None if letter in "yx" else length for letter, length in zip(axes, shape, strict=True))
    told = described(free, axes, outputs, list(stated.output_names))
    return freed, with_step(replace(told, notes=(*told.notes, note)), step)


def _with_further(model: Any, stated: Stated, order: Sequence[int]) -> Stated:
    """What is stated, with the inputs beside the frame, at the share of its size that the network takes."""
    shapes, dtypes = input_shapes(model), input_dtypes(model)
    names = input_names([str(one.name) for one in model.inputs], stated)
    told = [(names[place], shapes[place], dtypes[place]) for place in order[1:]]
    stated = replace(stated, input_name=names[order[0]], further=further_inputs(told, stated.axes, DEPTH))
    return tried_out(stated, KerasNetwork(model).run_on)


def tried_out(stated: Stated, run: Callable[[list[Array]], list[Array]]) -> Stated:
    """What is stated, with the shares of further inputs and the step at which `run` takes empty frames."""
    if stated.fixed:
        return stated

    def at(size: tuple[int, int], further: Sequence[FurtherInput]) -> list[tuple[int, int]] | None:
        own = dict(zip("yx", size, strict=True))
        frame = [own.get(letter) or length or 1 for letter, length in zip(stated.axes, stated.shape, strict=True)]
        try:
            made = run([np.zeros(shape, np.float32) for shape in (frame, *(size_beside(one, size) for one in further))])
        except ExportError:
            return None
        places = [stated.axes.index(letter) for letter in "yx"]
        return [(one.shape[places[0]], one.shape[places[1]]) for one in made if one.ndim == len(stated.axes)]

    further = that_fit(stated.further, lambda beside: at((TRIED, TRIED), beside) is not None)
    return with_step(replace(stated, further=further), step_by(lambda size: at(size, further), TRIED))


def axes_of(shape: Shape, channels_first: bool) -> str:
    """The letters of an input of this rank, or none where they cannot be known."""
    names = {3: ("byx", "byx"), 4: ("byxc", "bcyx"), 5: ("bzyxc", "bczyx")}
    return names[len(shape)][channels_first] if len(shape) in names else ""


def described(shape: Shape, axes: str, outputs: Sequence[Shape], names: Sequence[str]) -> Stated:
    """What shapes alone say; `names` are those of the outputs, kept where there are several."""
    if not axes:
        return Stated(output_names=output_names(names), wordless=True)
    fixed = any(shape[axes.index(letter)] is not None for letter in "yx")
    usual = {"z": DEPTH}
    sizes = tuple(length or (1 if letter == "b" else usual.get(letter, 0))
                  for letter, length in zip(axes, shape, strict=True))  # fmt: skip
    letters = [axes if len(output) == len(axes) else "bc" if len(output) == 2 else "" for output in outputs]
    return Stated(
        axes=axes,
        output_axes=tuple(letters) if all(letters) else (),
        output_names=output_names(names),
        fixed=fixed,
        shape=sizes,
        wordless=True,
    )


def with_step(stated: Stated, step: int | None) -> Stated:
    """With the step between sizes, the least of them, and an example that fits; None: nothing is known of it."""
    if step is None:
        return stated
    side = -(-SIDE // step) * step
    shape = tuple(side if letter in "yx" and not size else size
                  for letter, size in zip(stated.axes, stated.shape, strict=True))  # fmt: skip
    return replace(stated, step=step, minimum=-(-SMALLEST // step) * step, shape=shape)


def output_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names as BioImage.IO takes them; none where one output needs no name."""
    if len(names) < 2:
        return ()
    plain = [re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "output" for name in names]
    plain = [name if name[0].isalpha() else f"output_{name}" for name in plain]
    return tuple(plain) if len(set(plain)) == len(plain) else tuple(f"output_{place}" for place in range(len(plain)))


def input_names(names: Sequence[str], stated: Stated) -> tuple[str, ...]:
    """Names of several inputs as BioImage.IO takes them, others than those of the outputs."""
    taken = stated.output_names or ("image", "points")
    return tuple(f"{name}_in" if name in taken else name for name in output_names(names))


def _channels_first(model: Any) -> bool:
    found = (getattr(layer, "data_format", None) for layer in layers_of(model))
    return next((one for one in found if one in ("channels_first", "channels_last")), "") == "channels_first"


def _sizes(model: Any, axes: str, size: tuple[int, int]) -> list[tuple[int, int]] | None:
    """(y, x) of the outputs that lie as the frame does, for a frame of (y, x), by the shapes that Keras infers."""
    import keras

    usual = {"y": size[0], "x": size[1], "b": 1, "z": DEPTH, "c": 1}
    own = model.inputs[0]
    shape = [usual[letter] if letter in "byx" else length or usual[letter]
             for letter, length in zip(axes, own.shape, strict=True)]  # fmt: skip
    try:
        with quiet():
            found = flat(model.compute_output_spec(keras.KerasTensor(shape, dtype=own.dtype)))
        outputs = [tuple(output.shape) for output in found]
    except failures():
        return None
    if any(length is None for output in outputs for length in output):
        return None
    return [(one[axes.index("y")], one[axes.index("x")]) for one in outputs if len(one) == len(axes)]


def _freed(model: Any, axes: str) -> Any:
    """The model built again with any height and width, or None where that fails or changes what it answers."""
    own = model.inputs[0]
    try:
        with quiet():
            config = model.get_config()
            _unbind(config, axes)
            again = type(model).from_config(config)
            again.set_weights(model.get_weights())
            small = [1 if letter == "b" else length or DEPTH for letter, length in zip(axes, own.shape, strict=True)]
            image = np.random.default_rng(0).random(small).astype(str(own.dtype))
            pairs = zip(flat(model(image, training=False)), flat(again(image, training=False)), strict=True)
            same = all(np.array_equal(np.asarray(one), np.asarray(two)) for one, two in pairs)
    except failures():
        return None
    return again if same else None


def _unbind(config: Any, axes: str) -> None:
    """None for heights and widths wherever the configuration says which frames the model, or one in it, takes."""
    if isinstance(config, dict):
        shape = config.get("batch_shape")
        if isinstance(shape, (list, tuple)) and len(shape) == len(axes):
            config["batch_shape"] = [None if letter in "yx" else size for letter, size in zip(axes, shape, strict=True)]
        config.pop("build_input_shape", None)
        config.pop("build_config", None)
    if isinstance(config, (dict, list, tuple)):
        for one in config.values() if isinstance(config, dict) else config:
            _unbind(one, axes)
