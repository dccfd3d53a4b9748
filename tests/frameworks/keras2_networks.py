"""Writes files of Keras 2 with tf_keras, and what it answers: run as a program, since Keras 2 and 3 are not mixed here.

python keras2_networks.py FOLDER writes NAME.h5 and NAME.keras for each network, and NAME.npz with its inputs x0,
x1, ... and outputs y0, y1, ...
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras as keras

add = keras.layers
SAME: dict[str, Any] = {"padding": "same"}


def networks() -> dict[str, Any]:
    """Small networks of each kind that Keras 2 writes in its own way."""
    found: dict[str, Any] = {
        "unet": unet(size=(None, None), outputs=1),
        "transposed": unet(size=(None, None), outputs=3, transposed=True),
        "bilinear": unet(size=(48, 32), outputs=1, up="bilinear"),
        "volume": unet(size=(8, None, None), outputs=2),
    }
    found["transposed"].compile("adam", lambda wanted, made: tf.reduce_mean(tf.abs(wanted - made)))

    found["sequential"] = keras.Sequential(
        [
            add.Conv2D(4, 3, kernel_regularizer="l2", kernel_constraint="max_norm", input_shape=(None, None, 1)),
            add.Conv2DTranspose(4, 3, strides=2, output_padding=1, **SAME),
            add.SeparableConv2D(4, 3, depth_multiplier=2, activation=tf.nn.leaky_relu, **SAME),
            add.PReLU(shared_axes=[1, 2]),
            add.AveragePooling2D(**SAME),
            add.LayerNormalization(),
            add.DepthwiseConv2D(3, **SAME),
            add.ReLU(4.0, 0.1, 0.05),
            add.GaussianNoise(0.1),
            add.RandomFlip(),
            add.Conv2D(4, 3, groups=2, dilation_rate=2, activation="swish", **SAME),
            add.UpSampling2D(3, interpolation="bicubic"),
        ]
    )
    given = add.Input((None, None, 1))
    steep = add.Conv2D(4, 3, activation="hard_sigmoid", **SAME)(given)
    found["hard_sigmoid"] = keras.Model(given, add.Conv2D(1, 1)(add.Activation("hard_sigmoid")(steep)))

    given = add.Input((None, None, 1))
    stem = add.Conv2D(4, 3, **SAME)(given)
    short, long = add.Conv2D(4, 3, **SAME)(stem), stem
    for _ in range(3):
        long = add.Conv2D(4, 3, **SAME)(long)
    found["branches"] = keras.Model(given, [long, add.Conv2D(4, 3, activation="tanh", **SAME)(short), short])

    found["operators"] = operators()
    found["nested"] = nested()

    normal = add.Normalization()
    normal.adapt(np.random.default_rng(1).normal(3, 2, (2, 9, 9, 2)).astype(np.float32))
    given = add.Input((None, None, 2))
    found["normalization"] = keras.Model(given, add.Conv2D(1, 1)(normal(given)))

    given = add.Input((None, None, 1))
    found["lambda"] = keras.Model(given, add.Lambda(lambda pixels: tf.nn.relu(pixels - 2.0) * 3.0, name="steep")(given))

    pair = [add.Input((None, None, 1), name="left"), add.Input((None, None, 2), name="right")]
    found["two"] = keras.Model(pair, add.Conv2D(1, 3, **SAME)(add.Concatenate()([pair[0], pair[1] * 2.0])))
    return found


def unet(size: tuple[int | None, ...], outputs: int, transposed: bool = False, up: str = "nearest") -> Any:
    """Batch norm, leaky ReLU, dropout, a residual block, skips, and heads of 1, 2, ... channels."""
    flat = len(size) == 2
    conv, pool = (add.Conv2D, add.MaxPooling2D) if flat else (add.Conv3D, add.MaxPooling3D)
    given = add.Input((*size, 1), name="image")
    x, skips = given, []
    for _ in range(2):
        x = add.LeakyReLU(0.2)(add.BatchNormalization()(conv(4, 3, **SAME)(x)))
        skips.append(x)
        x = pool()(x)
    x = add.Dropout(0.3)(add.Add()([x, conv(4, 3, activation="relu", **SAME)(x)]))
    for skip in reversed(skips):
        if transposed:
            x = add.Conv2DTranspose(4, 2, strides=2, **SAME)(x)
        else:
            x = add.UpSampling2D(interpolation=up)(x) if flat else add.UpSampling3D()(x)
        x = conv(4, 3, activation="elu", **SAME)(add.Concatenate()([x, skip]))
    ends = [conv(number + 1, 1, name=f"end{number}")(x) for number in range(outputs)]
    return keras.Model(given, ends if outputs > 1 else ends[0])


def operators() -> Any:
    """What people write between layers: each becomes a TFOpLambda or SlicingOpLambda."""
    given = add.Input((None, None, 2))
    x = add.Conv2D(6, 3, **SAME)(tf.concat([given, tf.reverse(given, [1])], -1))
    one, two = tf.split(x, 2, axis=-1)
    y = tf.reduce_max(tf.stack([one, two], -1), -1) * 0.5 + tf.reduce_mean(x, axis=[1, 2], keepdims=True)[:, :, :, :3]
    y = 1.0 - y / 2.0 + tf.cast(tf.where(y > 0.1, y, y * 0.1), "float32")
    y = tf.pad(y, [[0, 0], [2, 2], [2, 2], [0, 0]], "SYMMETRIC")[:, 2:-2, 2:-2]
    y = tf.clip_by_value(tf.math.sqrt(tf.square(y) + 1e-3), 0.05, 4.0)
    return keras.Model(given, add.Conv2D(1, 1)(tf.nn.depth_to_space(tf.nn.relu(add.Conv2D(8, 1)(y)), 2)))


def nested() -> Any:
    """Models in a model, one of them called twice, one frozen, one with a frozen layer between trained ones."""
    inside = add.Input((None, None, 4))
    x = add.BatchNormalization()(add.Conv2D(4, 3, **SAME)(inside))
    frozen = add.Conv2D(4, 3, **SAME)
    x = add.Conv2D(4, 3, **SAME)(frozen(x))
    frozen.trainable = False
    inner = keras.Model(inside, [x, add.Conv2D(4, 3, **SAME)(inside)])
    late = keras.Sequential([add.Conv2D(4, 3, **SAME), add.Activation("relu")])
    fixed = keras.Sequential([add.InputLayer((None, None, 4)), add.Conv2D(4, 3, **SAME), add.BatchNormalization()])
    fixed.trainable = False
    given = add.Input((None, None, 1))
    one, two = inner(add.Conv2D(4, 1)(given))
    three, four = inner(add.Conv2D(4, 1)(given))
    late_twice = late(late(one + three))
    return keras.Model(given, [add.Concatenate()([two, four]), fixed(late_twice)])


def settle(model: Any, random: np.random.Generator) -> None:
    """Weights that all matter, moments of normalisations that are neither 0 nor 1."""
    for weight in model.weights:
        if weight.dtype.is_floating and "normalization/" not in weight.name.replace("batch_", "").replace("layer_", ""):
            moments = "variance" in weight.name
            low, high = (0.5, 1.5) if moments else (-0.4, 0.6)
            weight.assign(random.uniform(low, high, weight.shape))


def write(folder: Path) -> None:
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(3)
    for name, model in networks().items():
        if name != "normalization":
            settle(model, random)
        model.save(folder / f"{name}.h5")
        model.save(folder / f"{name}.keras", save_format="keras")
        shapes = [tuple(24 if size is None else size for size in one.shape[1:]) for one in model.inputs]
        given = [random.uniform(0, 5, (2, *shape)).astype(np.float32) for shape in shapes]
        made = model(given if len(given) > 1 else given[0], training=False)
        answers = made if isinstance(made, (list, tuple)) else [made]
        arrays: dict[str, Any] = {f"x{number}": array for number, array in enumerate(given)}
        arrays |= {f"y{number}": np.asarray(one) for number, one in enumerate(answers)}
        np.savez(folder / name, **arrays)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
