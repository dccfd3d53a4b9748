"""Networks of Keras and TensorFlow with inputs beside the frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import tensorflow as tf

from onscope.export.keras_tf import KerasNetwork, quiet, stated_by
from onscope.export.routes import load
from onscope.runtime import ExportError
from onscope.runtime.engines import open_session

from . import nets
from .nets import near, saved


def pair(half: bool = False, outputs: int = 1, frame_last: bool = False) -> Any:
    """A fine image, one of one or half its size, and three numbers; a U-shape around what they make."""
    add = nets.layers()
    import keras

    fine = keras.Input((None, None, 1), name="Fine")
    other = keras.Input((None, None, 2), name="Other")
    numbers = keras.Input((3,), name="numbers")
    larger = add.UpSampling2D()(other) if half else other
    x = add.Conv2D(4, 3, padding="same", activation="relu")(add.Concatenate()([fine, larger]))
    x = add.Multiply()([x, add.Reshape((1, 1, 4))(add.Dense(4)(numbers))])
    x = add.UpSampling2D()(add.MaxPooling2D()(x))
    ends = [add.Conv2D(number + 1, 3, padding="same", name=f"end{number}")(x) for number in range(outputs)]
    inputs = [numbers, fine, other] if frame_last else [fine, other, numbers]
    return keras.Model(inputs, ends if outputs > 1 else ends[0])


def arrays(half: bool, size: tuple[int, int] = (20, 26), batch: int = 2) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(4)
    small = [length // 2 for length in size] if half else size
    shapes = ((batch, *size, 1), (batch, *small, 2), (batch, 3))
    fine, other, numbers = (random.normal(0, 3, shape).astype(np.float32) for shape in shapes)
    return fine, other, numbers


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_keras_file_with_three_inputs(tmp_path: Path, make: Any, half: bool, outputs: int) -> None:
    model = pair(half, outputs)
    original = load(saved(model, tmp_path / "network.keras"))
    assert (original.stated.input_name, original.stated.step) == ("fine", 2)
    other, numbers = original.stated.further
    assert (other.name, other.sizes) == ("other", (1, *[Fraction(1, 2) if half else Fraction(1)] * 2, 2))
    assert (numbers.name, numbers.axes, numbers.sizes) == ("numbers", "bc", (1, 3))
    report = make(original, example=arrays(half)[0][:1])
    assert "two at once" in {one.where for one in report.parity}
    given = arrays(half, (34, 18))
    found = open_session(report.folder / "weights.onnx", "cpu").run(list(given))
    expected = model(list(given), training=False)
    expected = expected if outputs > 1 else [expected]
    assert len(found) == outputs
    assert all(near(one, np.asarray(two)) for one, two in zip(found, expected, strict=True))


def test_the_frame_is_the_first_image(make: Any) -> None:
    model, stated = stated_by(pair(frame_last=True))
    network = KerasNetwork(model, stated=stated)
    assert (stated.input_name, [one.name for one in stated.further]) == ("fine", ["numbers", "other"])
    fine, other, numbers = arrays(half=False)
    assert near(network.run_on([fine, numbers, other])[0], np.asarray(model([numbers, fine, other])))
    assert make(network, example=fine[:1]).passed
    with pytest.raises(ExportError, match="it takes 3 inputs"):
        network.run(fine)


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_model_with_three_inputs(tmp_path: Path, make: Any, half: bool) -> None:
    model = pair(half, 2)
    with quiet():
        model.export(tmp_path / "saved", verbose=False)
    original = load(tmp_path / "saved")
    assert original.stated.step == 2
    assert [one.sizes[-1] for one in original.stated.further] == [2, 3]
    report = make(original, example=arrays(half)[0][:1])
    given = arrays(half, (34, 18))
    found = open_session(report.folder / "weights.onnx", "cpu").run(list(given))
    assert all(near(one, np.asarray(two)) for one, two in zip(found, model(list(given)), strict=True))


def test_channels_of_any_number_must_be_said(tmp_path: Path) -> None:
    network = tf.Module()
    specs = [tf.TensorSpec([None, None, None, size], tf.float32, name=name) for name, size in (("a", 1), ("b", None))]
    network.call = tf.function(lambda a, b: {"out": a + b}, input_signature=specs)
    with quiet():
        tf.saved_model.save(network, str(tmp_path / "saved"), signatures=network.call)
    with pytest.raises(ExportError, match=r"the input 'b' of 4 axes beside the frame, .* known number of channels"):
        load(tmp_path / "saved")
