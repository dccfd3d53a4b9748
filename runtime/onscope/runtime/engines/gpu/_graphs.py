"""CUDA graphs: what is launched for a window is recorded once and then begun by one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._errors import DeviceLostError, ProviderError
from ._device import Device
from ._failures import checked

NOT_RECORDED = "its kernels are launched one by one, which takes longer: they could not be recorded ({})"


class Recorded:
    """A recorded sequence of launches on a device's stream for computing; ended with this object."""

    def __init__(self, device: Device, launch: Callable[[], None]) -> None:
        """Record what `launch` begins; raises ProviderError when it cannot be recorded. It is not done by that."""
        from cuda.bindings import runtime

        self._cuda = runtime
        self._ready: Any = None
        self._stream = device.compute
        # What other threads of the process do meanwhile (another session's opening) is no fault of this recording.
        mode = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        checked(runtime.cudaStreamBeginCapture(self._stream, mode))
        try:
            launch()
        finally:
            answer = runtime.cudaStreamEndCapture(self._stream)
            failed = int(answer[0]) != 0
            if failed:
                runtime.cudaGetLastError()  # or the next one who asks would take it for a failure of its own
        graph = checked(answer)
        try:
            self._ready = checked(runtime.cudaGraphInstantiate(graph, 0))
        finally:
            runtime.cudaGraphDestroy(graph)

    def launch(self) -> None:
        """Begin it all."""
        checked(self._cuda.cudaGraphLaunch(self._ready, self._stream))

    def close(self) -> None:
        """Give it back; asked again it does nothing."""
        ready, self._ready = self._ready, None
        if ready is not None:
            self._cuda.cudaGraphExecDestroy(ready)


def recorded(device: Device, launch: Callable[[], None], told: list[str]) -> Recorded | None:
    """A recording of `launch` that was tried; None where there can be none, and `told` says why."""
    kept = None
    try:
        kept = Recorded(device, launch)
        kept.launch()
        device.finish(device.compute)
        return kept
    except DeviceLostError:
        raise
    except ProviderError as refusal:
        if kept is not None:
            kept.close()
        words = NOT_RECORDED.format(refusal)
        if words not in told:
            told.append(words)
        return None
