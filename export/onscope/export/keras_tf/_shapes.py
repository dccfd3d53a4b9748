"""What a Keras model says of its input: axes, sizes that it takes, the step between them, and names of its outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._original import Stated
from ._door import failures, quiet
from ._layers import flat, layers_of

if TYPE_CHECKING:
    import keras

Shape = tuple[int | None, ...]
SIDE, SMALLEST, DEPTH = 256, 16, 16
"""Height and width of a simulated example, the least that is stated, and the planes of a free z."""
STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
COMMON = 384
"""A multiple of all of them: from here a size that is no multiple of what the network divides by shows itself."""


def stated_by(model: keras.Model) -> tuple[keras.Model, Stated]:
    """The model, with free height and width if it can be rebuilt so, and what it says; nothing is run but shapes.

    A model whose height or width is fixed is built again from its configuration with None there, its weights kept; the
    notes say so. Where that changes its answers, or its sizes cannot follow, it stays fixed.
    """
    if len(model.inputs) != 1:
        return model, Stated()
    shape: Shape = tuple(model.inputs[0].shape)
    axes = axes_of(shape, _channels_first(model))
    outputs = [tuple(output.shape) for output in flat(model.outputs)]
    stated = described(shape, axes, outputs, [str(name) for name in getattr(model, "output_names", ())])
    if not stated.fixed:
        return model, with_step(stated, _step(model, axes))
    freed = _freed(model, axes)
    step = None if freed is None else _step(freed, axes)
    if freed is None or step is None:
        return model, stated
    size = "x".join(str(shape[axes.index(letter)]) for letter in "yx")
    note = f"the model was built for frames of {size} alone; it was built again for any size, with the same weights"
    free = tuple(None if letter in "yx" else length for letter, length in zip(axes, shape, strict=True))
    told = described(free, axes, outputs, list(stated.output_names))
    return freed, with_step(replace(told, notes=(*told.notes, note)), step)


def axes_of(shape: Shape, channels_first: bool) -> str:
    """The letters of an input of this rank, or none where they cannot be known."""
    names = {4: ("byxc", "bcyx"), 5: ("bzyxc", "bczyx")}
    return names[len(shape)][channels_first] if len(shape) in names else ""


def described(shape: Shape, axes: str, outputs: Sequence[Shape], names: Sequence[str]) -> Stated:
    """What shapes alone say; `names` are those of the outputs, kept where there are several."""
    if not axes:
        return Stated(output_names=output_names(names))
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


def _channels_first(model: Any) -> bool:
    found = (getattr(layer, "data_format", None) for layer in layers_of(model))
    return next((one for one in found if one in ("channels_first", "channels_last")), "") == "channels_first"


def _step(model: Any, axes: str) -> int | None:
    """The smallest step between sizes at which the outputs follow the input, by the shapes that Keras infers.

    None where no step does: the network is tied to one size, or crops what it is given.
    """
    return next((step for step in STEPS if _follows(model, axes, step)), None)


def _follows(model: Any, axes: str, step: int) -> bool:
    scales = set()
    for y, x in ((COMMON, COMMON + step), (COMMON + step, COMMON + 3 * step), (COMMON + 5 * step, COMMON + 2 * step)):
        found = _inferred(model, axes, {"y": y, "x": x, "b": 1, "z": DEPTH, "c": 1})
        if found is None:
            return False
        spatial = [output for output in found if len(output) == len(axes)]
        scales.add(tuple((output[axes.index("y")] / y, output[axes.index("x")] / x) for output in spatial))
    return len(scales) == 1


def _inferred(model: Any, axes: str, usual: dict[str, int]) -> list[tuple[int, ...]] | None:
    import keras

    own = model.inputs[0]
    shape = [usual[letter] if letter in "byx" else length or usual[letter]
             for letter, length in zip(axes, own.shape, strict=True)]  # fmt: skip
    try:
        with quiet():
            found = flat(model.compute_output_spec(keras.KerasTensor(shape, dtype=own.dtype)))
        outputs = [tuple(output.shape) for output in found]
    except failures():
        return None
    return None if any(size is None for output in outputs for size in output) else outputs


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
