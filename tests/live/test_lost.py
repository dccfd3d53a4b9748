"""ONNX Runtime's words for a GPU that is lost, or too small, and what is neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnxruntime.capi import onnxruntime_pybind11_state as ort

from onscope.runtime import DeviceLostError, DeviceMemoryError, ProviderError
from onscope.runtime.engines._lost import LOST_CODES, failure

CUDA = (
    "/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, common::Status> "
    "onnxruntime::CudaCall(...) CUDA failure {code}: {words} ; GPU=0 ; hostname=scope ; file=cuda_stream_handle.cc ; "
    "line=91 ; expr=cudaStreamSynchronize(stream);"
)
LOST = [
    ort.EPFail(CUDA.format(code=700, words="an illegal memory access was encountered")),
    ort.Fail(CUDA.format(code=719, words="unspecified launch failure")),
    ort.RuntimeException(
        "Non-zero status code returned while running Conv node: CUDA error cudaErrorECCUncorrectable (214)"
    ),
    ort.DeviceReset("the device was reset"),
    ort.Fail("887A0005: The GPU device instance has been suspended. Use GetDeviceRemovedReason"),
    ort.EPFail("VK_ERROR_DEVICE_LOST"),
]
MEMORY = [
    ort.Fail(CUDA.format(code=2, words="out of memory")),
    ort.RuntimeException("bfc_arena.cc:376 Failed to allocate memory for requested buffer of size 9"),
]
OTHER = [
    ort.InvalidArgument("Got invalid dimensions for input: frame"),
    ort.Fail(CUDA.format(code=1, words="invalid argument")),
    ort.NotImplemented("Could not find an implementation for Pad(21)"),
    RuntimeError("node 'device' reset to 700"),
]


@pytest.mark.parametrize(
    ("errors", "kind"), [(LOST, DeviceLostError), (MEMORY, DeviceMemoryError), (OTHER, ProviderError)]
)
def test_what_kind_of_failure_it_is(errors: list[Exception], kind: type[ProviderError]) -> None:
    for error in errors:
        made = failure("ONNX Runtime failed", error)
        assert type(made) is kind, error
        assert str(made).startswith("ONNX Runtime failed: ")
        assert "\n" not in str(made)


@given(st.integers(0, 99999))
def test_only_codes_that_stay_are_lost(code: int) -> None:
    made = failure("x", RuntimeError(CUDA.format(code=code, words="something")))
    assert isinstance(made, DeviceLostError) == (code in LOST_CODES)


@given(st.text(max_size=200))
def test_any_text_is_one_sentence(text: str) -> None:
    assert str(failure("it failed", RuntimeError(text))).startswith("it failed: ")
