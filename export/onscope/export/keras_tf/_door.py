"""The one door to Keras and TensorFlow: imported late, kept quiet, on the CPU, and asked for with their extra."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence

from onscope.runtime import ExportError

NEEDED = ("tensorflow", "keras", "h5py", "tf2onnx", "onnxslim", "onnxruntime")
FAILURES = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError, OSError, ImportError)
"""What Keras, tf2onnx and onnx raise; TensorFlow's own errors are besides (`failures`)."""


def require_keras(needed: Sequence[str] = NEEDED) -> None:
    """Import Keras and TensorFlow, for the CPU; raises ExportError unless everything that exporting needs is there."""
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise ExportError(
            f"found no {', '.join(missing)}, which exporting from Keras and TensorFlow needs: "
            "pip install 'onscope[keras]'"
        )
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # the ONNX is made from TensorFlow's graph
    _import_quietly()
    import keras

    if keras.backend.backend() != "tensorflow":
        raise ExportError(
            f"found Keras with the back end {keras.backend.backend()}, expected tensorflow: set "
            "KERAS_BACKEND=tensorflow before Keras is imported"
        )


@functools.cache
def _import_quietly() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow logs from C++ before that level counts, straight to the descriptor.
    with quiet(), _silent_descriptor(2):
        import keras  # noqa: F401
        import tensorflow as tf
    with contextlib.suppress(RuntimeError):  # too late where TensorFlow has been used: its devices are settled
        tf.config.set_visible_devices([], "GPU")  # it would take the whole memory of one


def failures() -> tuple[type[Exception], ...]:
    """What a network that runs or is converted may raise."""
    import tensorflow as tf

    return (*FAILURES, tf.errors.OpError)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Keras, TensorFlow and tf2onnx off the terminal: their prints, log lines and warnings."""
    buffer = io.StringIO()
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(buffer),
            contextlib.redirect_stderr(buffer),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _silent_descriptor(number: int) -> Iterator[None]:
    try:
        kept = os.dup(number)
    except OSError:  # no such descriptor here: nothing can be written to it
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)
