"""Networks of CSBDeep (CARE) and N2V: what their config.json says, and the Keras model that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from onscope.runtime import ExportError

from ._blocks import Unet, convolved, unet
from ._fields import Fields

if TYPE_CHECKING:
    import keras

PREFIX = "channel_0"
"""What the names of N2V's layers begin with."""
SCALE_FLOOR = 1e-3
"""What CSBDeep adds to the scale of a probabilistic network, so that it is never zero."""


@dataclass(frozen=True, slots=True)
class Care:
    """A CARE or N2V network; `axes` are letters with the batch, `sizes` along the spatial ones (None: any).

    `means` and `stds` are N2V's, one per channel; None: CARE, whose normalisation is not kept in the folder.
    """

    axes: str
    sizes: tuple[int | None, ...]
    channels_in: int
    channels_out: int
    unet: Unet
    last: str
    residual: bool
    probabilistic: bool
    means: tuple[float, ...] | None = None
    stds: tuple[float, ...] = ()
    versions: bool = False
    """Whether it is of N2V 0.3, whose versions built different networks for the same config.json."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        return (*self.sizes, self.channels_in)

    @property
    def step(self) -> int:
        return int(self.unet.pool[0] ** self.unet.depth)

    @property
    def least_bytes(self) -> int:
        """Of the weights, at least."""
        return 4 * prod(self.unet.kernel) * self.unet.filters(self.unet.depth - 1) ** 2

    @property
    def package(self) -> str:
        """The distribution that builds this network, if it is installed."""
        return "csbdeep" if self.means is None else ""

    def own(self) -> Iterator[keras.Model]:
        """The network in plain Keras; where versions differ for one config.json, one after the other."""
        prefixes = [self.unet.prefix]
        if self.means is not None:  # N2V 0.3 names the layers of a single network "channel_0..." too
            prefixes += [prefix for prefix in ("", PREFIX) if prefix != self.unet.prefix]
        thin = (False, True) if self.versions and self.unet.skip_first else (False,)
        for prefix, each in product(prefixes, thin):
            yield _own(replace(self, unet=replace(self.unet, prefix=prefix, thin=each)))

    def original(self) -> keras.Model:
        """The network as CSBDeep builds it."""
        from csbdeep.internals.nets import custom_unet

        return custom_unet(
            self.shape, self.last, self.unet.depth, self.unet.first, self.unet.kernel,
            pool_size=self.unet.pool, n_channel_out=self.channels_out, residual=self.residual,
            prob_out=self.probabilistic, eps_scale=SCALE_FLOOR, batch_norm=self.unet.batch_norm,
        )  # fmt: skip


def read_care(config: dict[str, Any]) -> Care:
    """The network of a config.json; raises ExportError for what is none, or not one that can be exported."""
    fields = Fields(config)
    if any(name.startswith("proj_") for name in config):
        raise ExportError(
            "found the config.json of a projecting network (ProjectionCARE), expected CARE or N2V: export the "
            "TF_SavedModel that CSBDeep's export_TF writes"
        )
    axes = fields.axes()
    spatial = len(axes) - 2
    channels_in, channels_out = (fields.whole(name, 1, 1024) for name in ("n_channel_in", "n_channel_out"))
    noise2void = "means" in fields or "mean" in fields
    kernel = (_odd(fields, spatial),) * spatial
    told = Unet(
        fields.whole("unet_n_depth", 1, 8),
        fields.whole("unet_n_first", 1, 1024),
        kernel,
        (2,) * spatial,
        batch_norm=noise2void and fields.flag("batch_norm", False),
    )
    care = Care(
        axes,
        fields.sizes("unet_input_shape", spatial),
        channels_in,
        channels_out,
        told,
        fields.activation("unet_last_activation", "linear"),
        fields.flag("unet_residual"),
        not noise2void and fields.flag("probabilistic", False),
    )
    if care.residual and channels_in != channels_out:
        raise ExportError(
            f"found unet_residual with {channels_in} channels in and {channels_out} out in config.json, expected as "
            "many out as in: correct the file"
        )
    return _noise2void(care, fields) if noise2void else care


def with_named_outputs(care: Care, model: keras.Model) -> keras.Model:
    """A probabilistic network gives mean and scale in one tensor: each becomes an output of its own."""
    import keras

    if not care.probabilistic:
        return model
    answer = model.outputs[0]
    return keras.Model(model.inputs[0], [answer[..., : care.channels_out], answer[..., care.channels_out :]])


def _odd(fields: Fields, spatial: int) -> int:
    size = fields.whole("unet_kern_size", 1, 15, 5 if spatial == 2 else 3)
    if size % 2 == 0:
        raise ExportError(f"found unet_kern_size {size} in config.json, expected an odd number")
    return size


def _noise2void(care: Care, fields: Fields) -> Care:
    names = ("means", "stds") if "means" in fields else ("mean", "std")
    means, stds = (fields.texts_of_numbers(name, care.channels_in) for name in names)
    if min(stds) <= 0:
        raise ExportError(f"found {names[1]} {min(stds):g} in config.json, expected numbers above 0")
    apart = fields.flag("single_net_per_channel", False)
    if apart and care.channels_in > 1:
        raise ExportError(
            f"found a network of its own for each of {care.channels_in} channels (single_net_per_channel), expected "
            "one network: N2V with TensorFlow 2 gives all of them the last channel, so train one for each channel"
        )
    versions = "blurpool" in fields
    told = replace(
        care.unet,
        prefix=PREFIX if apart or versions else "",
        blur=fields.flag("blurpool", False),
        skip_first=not fields.flag("skip_skipone", False),
    )
    if told.blur and len(told.pool) != 2:
        raise ExportError("found blurpool for three dimensions in config.json, expected two, as N2V has it")
    return replace(care, unet=told, means=means, stds=stds, versions=versions)


def _own(care: Care) -> keras.Model:
    import keras
    from keras import layers

    taken = keras.Input(care.shape, name="input")
    features = unet(taken, care.unet)
    point = (1,) * len(care.unet.kernel)
    answer = convolved(features, care.channels_out, point)
    if care.residual:
        answer = layers.Add()([answer, taken])
    answer = layers.Activation(care.last)(answer)
    if care.probabilistic:
        scale = convolved(features, care.channels_out, point, "softplus") + SCALE_FLOOR
        answer = layers.Concatenate()([answer, scale])
    return keras.Model(taken, answer)
