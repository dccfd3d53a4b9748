"""Model packages: BioImage.IO descriptions with their weights, opened and checked before anything runs."""

from ._carry_out import carry_out, fed, processed
from ._description import (
    Axis,
    AxisSize,
    PadMode,
    SizeReference,
    Step,
    TensorDescription,
    make_step,
    tensor_from,
    tensor_message,
)
from ._external import one_file
from ._files import load_npy
from ._onnx import inspect_onnx
from ._package import Package
from ._points import pair_points
from ._proof import Agreement, agree, check_reproduces, held_against, prove, refuse_mismatch
from ._stated import StatedPackage, read_stated
from ._test_tensors import described_dtype
from ._tolerance import Tolerance
from ._variants import PRECISIONS, Speed, Variant
from ._zip import unpacked

__all__ = [
    "PRECISIONS",
    "Agreement",
    "Axis",
    "AxisSize",
    "Package",
    "PadMode",
    "SizeReference",
    "Speed",
    "StatedPackage",
    "Step",
    "TensorDescription",
    "Tolerance",
    "Variant",
    "agree",
    "carry_out",
    "check_reproduces",
    "described_dtype",
    "fed",
    "held_against",
    "inspect_onnx",
    "load_npy",
    "make_step",
    "one_file",
    "pair_points",
    "processed",
    "prove",
    "read_stated",
    "refuse_mismatch",
    "tensor_from",
    "tensor_message",
    "unpacked",
]
