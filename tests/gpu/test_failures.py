"""What a session on a GPU does when something fails: which error it is, what is left behind, what goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onscope.runtime import DeviceLostError, DeviceMemoryError, ProviderError
from onscope.runtime.engines.gpu import Device, GpuSession

from .kernels import INPUTS, ONE, OUTPUTS, SHAPE, NumpyKernels, frame, network, one_frame, session, window


@pytest.mark.parametrize(
    "name", ["cudaErrorIllegalAddress", "cudaErrorECCUncorrectable", "cudaErrorDevicesUnavailable"]
)
def test_a_lost_gpu_is_lost_for_good(cuda: Any, name: str) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    pending = opened.start([frame(1)])
    cuda.fail(cuda.cudaError_t[name])
    with pytest.raises(DeviceLostError, match=rf"found the GPU lost \({name}\).*new process"):
        pending.wait()
    with pytest.raises(DeviceLostError):
        opened.run([frame(1)])


def test_an_error_of_one_window_leaves_the_next_one_well(cuda: Any) -> None:
    opened, _ = session(cuda, ONE, ONE, one_frame)
    pending = opened.start([frame(1)])
    cuda.fail(cuda.cudaError_t.cudaErrorInvalidValue)
    with pytest.raises(ProviderError, match="the GPU failed") as error:
        pending.wait()
    assert type(error.value) is ProviderError
    np.testing.assert_array_equal(opened.run([frame(2)])[0], frame(2) + np.uint16(1))


def test_too_little_memory_says_how_much(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from cuda.bindings import _memory

    monkeypatch.setattr(_memory, "TOTAL", 1000)
    with pytest.raises(DeviceMemoryError, match=r"found 0\.00 MB free of 0\.00 MB on the GPU, expected .* MB more for"):
        session(cuda, ONE, ONE, one_frame)


def test_too_little_memory_of_the_host_says_so(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_REFUSES", "cudaHostAlloc")
    with pytest.raises(DeviceMemoryError, match="never paged out"):
        session(cuda, ONE, ONE, one_frame)


def test_kernels_that_fail_at_opening_leave_nothing_behind(cuda: Any) -> None:
    class Failing(NumpyKernels):
        def launch(self, number: int) -> None:
            raise ProviderError("the engine failed")

    device = Device(0)
    kernels = Failing(cuda, device, INPUTS, OUTPUTS, network)
    with pytest.raises(ProviderError, match="the engine failed"):
        GpuSession("numpy", INPUTS, OUTPUTS, device, kernels)
    assert kernels.closed


def test_wrong_arrays_and_keys_are_a_sentence(cuda: Any) -> None:
    opened, _ = session(cuda)
    with pytest.raises(ProviderError, match="found 2 keys, expected 5"):
        opened.start(window(1), [1, 2])
    with pytest.raises(ProviderError, match="for 'gain', expected 1 float32"):
        opened.start([*window(1)[:3], np.zeros(2, np.float32), np.zeros(SHAPE, np.float32)])


def test_a_recording_that_cannot_be_launched_is_done_without(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_REFUSES", "cudaGraphLaunch")
    opened, _ = session(cuda, ONE, ONE, one_frame)
    assert len(opened.told) == 1
    np.testing.assert_array_equal(opened.run([frame(2)])[0], frame(2) + np.uint16(1))
