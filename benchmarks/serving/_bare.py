"""What a script with Triton's own client does: the bytes of a frame there, those of an answer back."""

from __future__ import annotations

import time
from queue import SimpleQueue
from typing import Any

import numpy as np

from onscope.runtime.kserve import model_name, sha256_of

from ._server import Served


class Bare:
    """A client of one model."""

    def __init__(self, served: Served, side: int) -> None:
        from tritonclient.grpc import InferenceServerClient

        self._client = InferenceServerClient(f"127.0.0.1:{served.server.port}")
        self._model = model_name(sha256_of(served.graphs[side]))

    def once(self, frame: np.ndarray) -> float:
        """Milliseconds there and back."""
        start = time.perf_counter()
        answer = self._client.infer(self._model, [self._given(frame)])
        assert answer.as_numpy("plus.image").size == frame.size
        return (time.perf_counter() - start) * 1e3

    def many(self, frames: list[np.ndarray], windows: int, in_flight: int) -> float:
        """Windows per second with so many on their way."""
        came: SimpleQueue[Any] = SimpleQueue()
        begun = time.perf_counter()
        for number in range(windows):
            if number >= in_flight:
                self._take(came)
            self._client.async_infer(
                self._model,
                [self._given(frames[number % len(frames)])],
                lambda result, error: came.put((result, error)),
            )
        for _ in range(min(windows, in_flight)):
            self._take(came)
        return windows / (time.perf_counter() - begun)

    @staticmethod
    def _take(came: SimpleQueue[Any]) -> None:
        result, error = came.get()
        assert error is None
        result.as_numpy("plus.image")

    @staticmethod
    def _given(frame: np.ndarray) -> Any:
        from tritonclient.grpc import InferInput

        given = InferInput("frame_0", [1, *frame.shape], "UINT16")
        given.set_data_from_numpy(frame[np.newaxis])
        return given

    def close(self) -> None:
        self._client.close()
