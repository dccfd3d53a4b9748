"""Layers of Keras which its exporters write badly, in other words of TensorFlow that mean the same.

UpSampling layers repeat rows and columns, which becomes some 20 ONNX operators each, and with bilinear or bicubic
interpolation they cannot be traced at all where height and width are free. As TensorFlow's own resizing each axis or
pair of axes becomes one Resize. The original runs as it is: what is exported is compared with that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._layers import layers_of

if TYPE_CHECKING:
    import keras

METHODS = ("nearest", "bilinear", "bicubic")


@contextlib.contextmanager
def plain_resizes(model: keras.Model) -> Iterator[int]:
    """While it lasts the model's UpSampling layers resize in the words of TensorFlow; how many there are."""
    import keras

    kinds = {keras.layers.UpSampling2D: _resized_2d, keras.layers.UpSampling3D: _resized_3d}
    changed = [(layer, kinds[type(layer)]) for layer in layers_of(model) if type(layer) in kinds]
    changed = [(layer, kind) for layer, kind in changed if getattr(layer, "interpolation", "nearest") in METHODS]
    for layer, kind in changed:
        layer.call = _call(layer, kind)
    try:
        yield len(changed)
    finally:
        for layer, _ in changed:
            del layer.call  # that of the class again


def _call(layer: Any, resized: Any) -> Any:
    import tensorflow as tf

    first = layer.data_format == "channels_first"
    axes = len(layer.size)

    def call(inputs: Any) -> Any:
        pixels = tf.transpose(inputs, [0, *range(2, axes + 2), 1]) if first else inputs
        found = resized(layer, pixels)
        sizes = [size and size * factor for size, factor in zip(pixels.shape[1:-1], layer.size, strict=True)]
        found.set_shape([pixels.shape[0], *sizes, pixels.shape[-1]])
        return tf.transpose(found, [0, axes + 1, *range(1, axes + 1)]) if first else found

    return call


def _resized_2d(layer: Any, pixels: Any) -> Any:
    import tensorflow as tf

    size = tf.shape(pixels)[1:3] * tf.constant(layer.size)
    if layer.interpolation == "nearest":
        return _repeated(pixels, size)
    return tf.image.resize(pixels, size, method=layer.interpolation)


def _resized_3d(layer: Any, pixels: Any) -> Any:
    """Along y and x with the planes as a batch, then along z with the pixels of a plane as one row."""
    import tensorflow as tf

    shape, (fz, fy, fx), channels = tf.shape(pixels), layer.size, pixels.shape[-1]
    z, y, x = shape[1], shape[2], shape[3]
    planes = tf.reshape(pixels, [-1, y, x, channels])
    found = _repeated(planes, tf.stack([y * fy, x * fx]))
    if fz > 1:
        rows = tf.reshape(found, [-1, z, y * fy * x * fx, channels])
        found = _repeated(rows, tf.stack([z * fz, y * fy * x * fx]))
    return tf.reshape(found, [-1, z * fz, y * fy, x * fx, channels])


def _repeated(pixels: Any, size: Any) -> Any:
    """Each pixel as often as whole factors say."""
    import tensorflow as tf

    return tf.raw_ops.ResizeNearestNeighbor(images=pixels, size=size)
