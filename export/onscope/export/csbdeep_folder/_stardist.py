"""Networks of StarDist: what their config.json says, and the Keras model that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from ._blocks import Unet, convolved, pooled, residual_block, unet
from ._fields import Fields

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

RAYS = ("Rays_GoldenSpiral", "Rays_Cartesian", "Rays_Explicit", "Rays_Octo", "Rays_SubDivide", "Rays_Tetra")
"""StarDist's kinds of rays in stacks."""


@dataclass(frozen=True, slots=True)
class Resnet:
    """The other backbone of three dimensions."""

    blocks: int
    first: int
    kernel: tuple[int, ...]
    per_block: int
    activation: str
    batch_norm: bool


@dataclass(frozen=True, slots=True)
class Stardist:
    """A StarDist network; `axes` are letters with the batch, `grid` how many pixels apart it answers, per axis.

    `after` are the filters of the convolution behind the backbone (0: none), `classes` those of objects beside the
    background (None: one kind of object). `anisotropy` is that of the golden spiral along which the rays of stacks lie;
    None: in images, and where the rays are others.
    """

    axes: str
    sizes: tuple[int | None, ...]
    channels_in: int
    rays: int
    grid: tuple[int, ...]
    backbone: Unet | Resnet
    after: int
    classes: int | None
    anisotropy: tuple[float, float, float] | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """What sizes are multiples of, per spatial axis."""
        if isinstance(self.backbone, Resnet):
            return self.grid
        depth = self.backbone.depth
        return tuple(pool**depth * grid for pool, grid in zip(self.backbone.pool, self.grid, strict=True))

    @property
    def least_bytes(self) -> int:
        """Of the weights, at least."""
        told = self.backbone
        wide = told.filters(told.depth - 1) if isinstance(told, Unet) else told.first
        last = self.after or 1
        return 4 * max(prod(told.kernel) * wide**2, prod(told.kernel) * last, last * self.rays)

    @property
    def package(self) -> str:
        """The distribution that builds this network, if it is installed."""
        return "stardist"

    def own(self) -> Iterator[keras.Model]:
        """The network in plain Keras."""
        import keras

        taken = keras.Input((*self.sizes, self.channels_in), name="input")
        told = self.backbone
        features = _unet(taken, told, self.grid) if isinstance(told, Unet) else _resnet(taken, told, self.grid)
        point = (1,) * len(self.grid)

        def head(name: str) -> KerasTensor:
            return convolved(features, self.after, told.kernel, told.activation, name) if self.after else features

        shared = head("features")
        outputs = [
            convolved(shared, 1, point, "sigmoid", "prob"),
            convolved(shared, self.rays, point, "linear", "dist"),
        ]
        if self.classes is not None:
            outputs.append(convolved(head("features_class"), self.classes + 1, point, "softmax", "prob_class"))
        yield keras.Model(taken, outputs)

    def original(self) -> keras.Model:
        """The network as StarDist builds it."""
        from stardist.models import Config2D, Config3D, StarDist2D, StarDist3D

        told = self.backbone
        given: dict[str, Any] = {
            "axes": self.axes[1:].upper(), "n_rays": self.rays, "n_channel_in": self.channels_in, "grid": self.grid,
            "n_classes": self.classes, "net_input_shape": (*self.sizes, self.channels_in),
        }  # fmt: skip
        if isinstance(told, Unet):
            given |= {
                "backbone": "unet", "unet_n_depth": told.depth, "unet_kernel_size": told.kernel,
                "unet_n_filter_base": told.first, "unet_n_conv_per_depth": told.per_depth, "unet_pool": told.pool,
                "unet_activation": told.activation, "unet_last_activation": told.last,
                "unet_batch_norm": told.batch_norm, "unet_expansion": told.expansion, "unet_prefix": told.prefix,
                "net_conv_after_unet": self.after,
            }  # fmt: skip
        else:
            given |= {
                "backbone": "resnet", "resnet_n_blocks": told.blocks, "resnet_kernel_size": told.kernel,
                "resnet_n_filter_base": told.first, "resnet_n_conv_per_block": told.per_block,
                "resnet_activation": told.activation, "resnet_batch_norm": told.batch_norm,
                "net_conv_after_resnet": self.after,
            }  # fmt: skip
        if len(self.grid) == 2:
            return StarDist2D(Config2D(**given), name="network", basedir=None).keras_model
        given["rays"] = given.pop("n_rays")
        return StarDist3D(Config3D(**given), name="network", basedir=None).keras_model


def read_stardist(config: dict[str, Any]) -> Stardist:
    """The network of a config.json; raises ExportError for what is none."""
    fields = Fields(config)
    axes = fields.axes()
    spatial = len(axes) - 2
    if "t" in axes:
        raise ExportError("found the axis T in config.json, expected YXC or ZYXC, as StarDist has them")
    grid = fields.wholes("grid", spatial, 1, 16)
    if any(size & (size - 1) for size in grid):
        raise ExportError(f"found grid {list(grid)} in config.json, expected powers of 2")
    backbone: Unet | Resnet
    if fields.word("backbone", ("unet", "resnet") if spatial == 3 else ("unet",), "unet") == "unet":
        backbone, after = _read_unet(fields, spatial), fields.whole("net_conv_after_unet", 0, 4096)
    else:
        backbone, after = _read_resnet(fields, spatial, grid), fields.whole("net_conv_after_resnet", 0, 4096)
    classes = fields.whole("n_classes", 1, 256) if "n_classes" in fields else None
    rays = fields.whole("n_rays", 3, 1024)
    return Stardist(
        axes, fields.sizes("net_input_shape", spatial), fields.whole("n_channel_in", 1, 1024), rays, grid, backbone,
        after, classes, _golden_spiral(fields, rays) if spatial == 3 else None,
    )  # fmt: skip


def with_one_output(model: keras.Model) -> keras.Model:
    """Probability and distances as the channels of one output, which is what a decoder takes; classes beside it."""
    import keras
    from keras import layers

    probability, distances, *others = model.outputs
    return keras.Model(model.inputs[0], [layers.Concatenate()([probability, distances]), *others])


def _golden_spiral(fields: Fields, rays: int) -> tuple[float, float, float] | None:
    """The anisotropy of the rays in config.json, (1, 1, 1) where it states none; None for rays of another kind."""
    told = fields.inner("rays_json")
    name = told.word("name", RAYS)
    arguments = told.inner("kwargs")
    if name != RAYS[0]:
        return None
    if (count := arguments.whole("n", 4, 1024)) != rays:
        raise ExportError(f"found rays_json of {count} rays and n_rays {rays} in config.json, expected the same number")
    if "anisotropy" not in arguments:
        return 1.0, 1.0, 1.0
    z, y, x = arguments.numbers("anisotropy", 3, 1e-1, 1e2)
    return z, y, x


def _read_unet(fields: Fields, spatial: int) -> Unet:
    return Unet(
        fields.whole("unet_n_depth", 0, 8),
        fields.whole("unet_n_filter_base", 1, 1024),
        fields.wholes("unet_kernel_size", spatial, 1, 15),
        fields.wholes("unet_pool", spatial, 1, 4),
        fields.whole("unet_n_conv_per_depth", 1, 8),
        fields.activation("unet_activation"),
        fields.activation("unet_last_activation"),
        fields.flag("unet_batch_norm", False),
        fields.number("unet_expansion", 1, 4, 2),
        fields.prefix("unet_prefix"),
    )


def _read_resnet(fields: Fields, spatial: int, grid: tuple[int, ...]) -> Resnet:
    blocks = fields.whole("resnet_n_blocks", 1, 16)
    if max(grid) > 1 << blocks:
        raise ExportError(f"found grid {list(grid)} with {blocks} blocks in config.json, expected a block per halving")
    return Resnet(
        blocks,
        fields.whole("resnet_n_filter_base", 1, 1024),
        fields.wholes("resnet_kernel_size", spatial, 1, 15),
        fields.whole("resnet_n_conv_per_block", 2, 8),
        fields.activation("resnet_activation"),
        fields.flag("resnet_batch_norm", False),
    )


def _halvings(grid: tuple[int, ...], blocks: int | None = None) -> Iterator[tuple[int, ...]]:
    """How much is pooled at each step until pixels are `grid` apart; `blocks` steps, if they are so many."""
    reached, count = (1,) * len(grid), 0
    while count < blocks if blocks is not None else reached != grid:
        pool = tuple(1 + (want > have) for want, have in zip(grid, reached, strict=True))
        reached = tuple(have * size for have, size in zip(reached, pool, strict=True))
        count += 1
        yield pool


def _unet(taken: KerasTensor, told: Unet, grid: tuple[int, ...]) -> KerasTensor:
    for pool in _halvings(grid):
        for _ in range(told.per_depth):
            taken = convolved(taken, told.first, told.kernel, told.activation)
        taken = pooled(taken, pool)
    return unet(taken, told)


def _resnet(taken: KerasTensor, told: Resnet, grid: tuple[int, ...]) -> KerasTensor:
    filters = told.first
    for size in (7, 3):
        taken = convolved(taken, filters, (size,) * len(grid))
    for pool in _halvings(grid, told.blocks):
        filters *= 2 if max(pool) > 1 else 1
        taken = residual_block(taken, filters, told.kernel, pool, told.per_block, told.activation, told.batch_norm)
    return taken
