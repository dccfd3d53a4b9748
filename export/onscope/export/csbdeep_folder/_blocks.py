"""The blocks that CSBDeep builds its networks of, in Keras' functional API, with the layers' names as CSBDeep has them.

As csbdeep.internals.blocks (CSBDeep 0.8) and n2v.nets.unet_blocks (N2V 0.3) have them; dropout is left out, which does
nothing after training. Weights begin as zeros, since those of a file follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras import KerasTensor


@dataclass(frozen=True, slots=True)
class Unet:
    """What a U-Net is told; sizes along the spatial axes, `first` filters at the top, times `expansion` per level.

    `blur`: max-pooling at every pixel, blurred before pixels are dropped. `skips`: "all" levels, or all but the "first"
    (N2V2); `thin`: as N2V 0.3 has it, all first convolutions on the way up have `first` filters.
    """

    depth: int
    first: int
    kernel: tuple[int, ...]
    pool: tuple[int, ...]
    per_depth: int = 2
    activation: str = "relu"
    last: str = "relu"
    batch_norm: bool = False
    expansion: float = 2
    prefix: str = ""
    blur: bool = False
    skip_first: bool = True
    thin: bool = False

    def filters(self, level: int) -> int:
        """Of the convolutions at a level; 0 is the top."""
        return int(self.first * self.expansion ** max(0, level))


def convolved(
    taken: KerasTensor, filters: int, kernel: tuple[int, ...], activation: str = "linear", name: str | None = None,
    *, strides: tuple[int, ...] | int = 1, bias: bool = True,
) -> KerasTensor:  # fmt: skip
    """A convolution that keeps the size (or divides it by the strides)."""
    layer = _of("Conv", kernel)(
        filters, kernel, strides=strides, padding="same", activation=activation, name=name, use_bias=bias,
        kernel_initializer="zeros",
    )  # fmt: skip
    return layer(taken)


def normed(taken: KerasTensor, activation: str) -> KerasTensor:
    """Batch normalisation and what follows it."""
    from keras import layers

    return layers.Activation(activation)(layers.BatchNormalization()(taken))


def pooled(taken: KerasTensor, pool: tuple[int, ...], name: str | None = None) -> KerasTensor:
    """The largest of each block."""
    return _of("MaxPooling", pool)(pool, name=name)(taken)


def unet(taken: KerasTensor, told: Unet) -> KerasTensor:
    """CSBDeep's U-Net without its last convolutions."""
    from keras import layers

    def block(tensor: KerasTensor, filters: int, name: str, activation: str = told.activation) -> KerasTensor:
        name = told.prefix + name
        if told.batch_norm:
            return normed(convolved(tensor, filters, told.kernel, name=name), activation)
        return convolved(tensor, filters, told.kernel, activation, name)

    skips: list[KerasTensor | None] = []
    tensor = taken
    for level in range(told.depth):
        for number in range(told.per_depth):
            tensor = block(tensor, told.filters(level), f"down_level_{level}_no_{number}")
        skips.append(tensor if level or told.skip_first else None)
        down = _blurred if told.blur else pooled
        tensor = down(tensor, told.pool, f"{told.prefix}max_{level}")
    for number in range(told.per_depth - 1):
        tensor = block(tensor, told.filters(told.depth), f"middle_{number}")
    tensor = block(tensor, told.filters(told.depth - 1), f"middle_{told.per_depth}")
    for level in reversed(range(told.depth)):
        skip = skips[level]
        tensor = _of("UpSampling", told.pool)(told.pool)(tensor)
        if skip is not None:
            tensor = layers.Concatenate()([tensor, skip])
        for number in range(told.per_depth - 1):
            filters = told.first if told.thin else told.filters(level)
            tensor = block(tensor, filters, f"up_level_{level}_no_{number}")
        activation = told.activation if level else told.last
        tensor = block(tensor, told.filters(level - 1), f"up_level_{level}_no_{told.per_depth}", activation)
    return tensor


def residual_block(
    taken: KerasTensor, filters: int, kernel: tuple[int, ...], pool: tuple[int, ...],
    convolutions: int, activation: str, batch_norm: bool,
) -> KerasTensor:  # fmt: skip
    """CSBDeep's block of a ResNet: convolutions beside a way around them."""
    from keras import layers

    tensor = taken
    for number in range(convolutions):
        strides = pool if number == 0 else 1
        tensor = convolved(tensor, filters, kernel, strides=strides, bias=not batch_norm)
        if batch_norm:
            tensor = layers.BatchNormalization()(tensor)
        if number < convolutions - 1:
            tensor = layers.Activation(activation)(tensor)
    if any(size != 1 for size in pool) or filters != taken.shape[-1]:
        taken = convolved(taken, filters, (1,) * len(kernel), strides=pool, bias=not batch_norm)
    return layers.Activation(activation)(layers.Add()([taken, tensor]))


def _blurred(taken: KerasTensor, pool: tuple[int, ...], name: str) -> KerasTensor:
    """Zhang 2019, Making Convolutional Networks Shift-Invariant Again; its weights are the binomial filter."""
    from keras import layers

    tensor = layers.MaxPooling2D(pool, strides=1, padding="same")(taken)
    blur = layers.DepthwiseConv2D(3, strides=pool, padding="same", use_bias=False, name=name)
    return blur(tensor)


def _of(kind: str, sizes: tuple[int, ...]) -> Any:
    """The layer of a kind for two or three dimensions."""
    from keras import layers

    return getattr(layers, f"{kind}{len(sizes)}D")
