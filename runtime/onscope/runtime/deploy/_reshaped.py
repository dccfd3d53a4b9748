"""A graph that takes its image in the form in which another graph gives it: the same pixels with other axes of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .._errors import PackageError
from ..engines import TensorSpec


def reshaped(graph: Path, given: TensorSpec, shape: Sequence[int]) -> bytes:
    """The ONNX file with the input `given` in another shape, of as many elements; all else stays."""
    import onnx
    from onnx import helper

    model = onnx.load_model(graph, load_external_data=False)
    content = model.graph
    value = next(each for each in content.input if each.name == given.name)
    inside, sizes = f"{given.name}.as_given", f"{given.name}.sizes"
    for node in content.node:
        for at, name in enumerate(node.input):
            if name == given.name:
                node.input[at] = inside
    dims = [size or 0 for size in given.shape]
    content.initializer.append(helper.make_tensor(sizes, onnx.TensorProto.INT64, [len(dims)], dims))
    content.node.insert(0, helper.make_node("Reshape", [given.name, sizes], [inside]))
    value.CopyFrom(helper.make_tensor_value_info(given.name, value.type.tensor_type.elem_type, list(shape)))
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise PackageError(f"cannot give {graph.name} its image in another form: {error}") from error
    return model.SerializeToString()  # type: ignore[no-any-return]
