"""Operations of TensorFlow on Keras tensors, which Keras 2 keeps as layers (TFOpLambda, SlicingOpLambda), from a list.

`x * 0.5 + skip` in a functional model becomes two of them: the name of a function of TensorFlow, and what it was called
with. Keras 2 takes any name that TensorFlow has, functions that read and write files among them; here it is one of
FUNCTIONS, which compute images.
"""

from __future__ import annotations

import functools
from typing import Any

from onscope.runtime import ExportError

ROOMS = {
    "": """
        abs add_n argmax argmin cast clip_by_value concat cos einsum equal exp expand_dims floor gather gather_nd
        greater greater_equal identity less less_equal logical_and logical_not logical_or matmul maximum minimum
        multiply negative norm not_equal one_hot ones_like pad pow rank realdiv reduce_max reduce_mean reduce_min
        reduce_prod reduce_sum repeat reshape reverse roll round scalar_mul shape sigmoid sign sin size slice split
        sqrt square squeeze stack stop_gradient strided_slice subtract tan tanh tensordot tile transpose truediv
        unstack where zeros_like
    """,
    "compat.v1.": """
        concat expand_dims gather pad reduce_max reduce_mean reduce_min reduce_sum reverse shape size space_to_depth
        squeeze transpose where
    """,
    "image.": """
        adjust_brightness adjust_contrast central_crop crop_to_bounding_box extract_patches flip_left_right
        flip_up_down grayscale_to_rgb pad_to_bounding_box per_image_standardization resize resize_with_crop_or_pad
        rgb_to_grayscale rot90 sobel_edges total_variation transpose
    """,
    "linalg.": """
        einsum l2_normalize matmul matrix_transpose norm
    """,
    "math.": """
        abs add add_n argmax argmin atan2 ceil cos cosh cumsum divide divide_no_nan equal erf exp expm1 floor floordiv
        floormod greater greater_equal is_nan l2_normalize less less_equal log log1p log_sigmoid logical_and
        logical_not logical_or maximum minimum mod multiply multiply_no_nan negative not_equal pow reciprocal
        reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum
        reduce_variance round rsqrt scalar_mul sigmoid sign sin sinh softmax softplus softsign sqrt square
        squared_difference subtract tan tanh top_k truediv
    """,
    "nn.": """
        avg_pool avg_pool2d avg_pool3d batch_normalization bias_add conv2d conv2d_transpose conv3d crelu
        depth_to_space depthwise_conv2d dilation2d elu gelu l2_normalize leaky_relu local_response_normalization
        log_softmax max_pool max_pool2d max_pool3d moments relu relu6 selu sigmoid silu softmax softplus softsign
        space_to_depth swish tanh
    """,
    "__operators__.": """
        add getitem
    """,
    "signal.": """
        fft2d ifft2d irfft2d rfft2d
    """,
}
FUNCTIONS = frozenset(f"{room}{name}" for room, names in ROOMS.items() for name in names.split())
"""Names as TensorFlow's public interface has them."""


def operation(function: str, name: str, arguments: dict[str, Any]) -> Any:
    """A layer that calls the function with `arguments` ("args" and "kwargs"), in which {"tensor": n} stands for the nth
    of the tensors that the layer is given; raises ExportError for a function that is not listed."""
    if function not in FUNCTIONS:
        raise ExportError(
            f"found the operation {name[:60]!r}, the function tf.{function[:60]} of TensorFlow, which is not among "
            "those that compute images: save the network as a SavedModel (model.save of a folder), and export that"
        )
    return _layer_class()(function, arguments, name=name)


@functools.cache
def _layer_class() -> Any:
    import keras

    @keras.saving.register_keras_serializable("onscope")
    class Operation(keras.layers.Layer):  # type: ignore[misc]
        """One function of TensorFlow with all that it was called with but its tensors."""

        def __init__(self, function: str, arguments: dict[str, Any], **own: Any) -> None:
            super().__init__(**{**own, "autocast": False})  # sizes stay whole numbers
            if function not in FUNCTIONS:
                raise ValueError(f"tf.{function} is not listed")
            self.function, self.arguments = function, arguments

        def call(self, tensors: Any) -> Any:
            given = tensors if isinstance(tensors, (list, tuple)) else [tensors]
            args, kwargs = _filled(self.arguments["args"], given), _filled(self.arguments["kwargs"], given)
            kwargs.pop("name", None)
            return _resolved(self.function)(*args, **kwargs)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "function": self.function, "arguments": self.arguments}

    return Operation


def _resolved(function: str) -> Any:
    """The function of a listed name."""
    import tensorflow as tf

    if function.startswith("__operators__."):
        return {"add": tf.add, "getitem": lambda tensor, slice_spec: tensor[_slices(slice_spec)]}[function[14:]]
    found: Any = tf
    for part in function.split("."):
        found = getattr(found, part)
    return found


def _filled(value: Any, tensors: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"tensor"}:
            return tensors[value["tensor"]]
        return {name: _filled(each, tensors) for name, each in value.items()}
    return [_filled(each, tensors) for each in value] if isinstance(value, (list, tuple)) else value


def _slices(spec: Any) -> Any:
    """Indices as Keras 2 writes them."""
    if isinstance(spec, (list, tuple)):
        return tuple(_slices(each) for each in spec)
    if not isinstance(spec, dict):
        return spec
    return Ellipsis if spec.get("class_name") == "__ellipsis__" else slice(spec["start"], spec["stop"], spec["step"])
