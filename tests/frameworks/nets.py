"""Small Keras networks for tests: what they do is plain, and their weights are the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onscope.export.keras_tf import quiet, require_keras


def layers() -> Any:
    """keras.layers, with the seed set."""
    require_keras()
    import keras

    keras.utils.set_random_seed(7)
    return keras.layers


def unet(
    size: tuple[int | None, ...] = (None, None),
    levels: int = 2,
    up: str = "nearest",
    outputs: int = 1,
    channels: int = 1,
) -> Any:
    """A U-Net of 4 features with batch norm, leaky ReLU and a separable convolution; 2-D or 3-D by its size."""
    add = layers()
    import keras

    flat = len(size) == 2
    conv = add.Conv2D if flat else add.Conv3D
    pool, grow = (add.MaxPooling2D, add.UpSampling2D) if flat else (add.MaxPooling3D, add.UpSampling3D)
    given = keras.Input((*size, channels), name="image")
    x, skipped = given, []
    for _ in range(levels):
        x = add.LeakyReLU()(conv(4, 3, padding="same")(x))
        skipped.append(x)
        x = pool()(x)
    x = add.BatchNormalization()(
        add.SeparableConv2D(4, 3, padding="same")(x) if flat else conv(4, 3, padding="same")(x)
    )
    for skip in reversed(skipped):
        x = grow(interpolation=up)(x) if flat else grow()(x)
        x = conv(4, 3, padding="same", activation="relu")(add.Concatenate()([x, skip]))
    ends = [conv(number + 1, 1, name=f"End-{number}")(x) for number in range(outputs)]
    model = keras.Model(given, ends if outputs > 1 else ends[0])
    settle(model)
    return model


def settle(model: Any) -> None:
    """Batch norms that do something: moments other than 0 and 1."""
    import numpy as np

    random = np.random.default_rng(3)
    for variable in model.non_trainable_variables:
        if "moving" in variable.path:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))


def saved(model: Any, path: Path) -> Path:
    """The file that Keras writes."""
    with quiet():
        model.save(path)
    return path


def near(found: Any, expected: Any) -> bool:
    """Equal but for rounding: to 1e-5 of the range of what is expected."""
    import numpy as np

    want = np.asarray(expected)
    return found.shape == want.shape and float(np.abs(found - want).max()) <= 1e-5 * float(np.ptp(want))
