"""A window that is on its way to a server and back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import ProviderError
from ..engines import Stayed, TensorSpec
from ._shared import Place

if TYPE_CHECKING:
    from tritonclient.grpc import InferResult

    from ._sequences import Step

Array = np.ndarray
Settle = Callable[["Window"], list[Array]]


class Window:
    """Pending, as the Staged contract has it. `settle` gives the answers of one that came back, or raises what went
    wrong."""

    def __init__(
        self,
        slot: int,
        outputs: Sequence[TensorSpec],
        stays: Sequence[int],
        settle: Settle,
        woken: Callable[[], object] = lambda: None,
    ) -> None:
        self.slot = slot
        self.stays = tuple(stays)
        self.stayed: Sequence[Stayed] = tuple(Later(self, at, outputs[at]) for at in stays)
        self.step: Step | None = None
        self.places: dict[int, Place] = {}
        """Where its answers come in shared memory, by their numbers."""
        self.given: Sequence[Any] = ()
        """What is sent."""
        self.result: InferResult | None = None
        self.error: Exception | None = None
        self._settle, self._woken = settle, woken
        self._came = threading.Event()
        self._answers: list[Array] | None = None
        self._raised: Exception | None = None

    def leaves(self) -> None:
        """It is sent, for the first time or once more."""
        self._came.clear()
        self.result = self.error = None

    def answered(self, result: InferResult | None, error: Exception | None) -> None:
        """Called by gRPC, in a thread of its own."""
        self.result, self.error = result, error
        self._came.set()
        self._woken()

    @property
    def came(self) -> bool:
        """Whether `wait` would return at once, or find out that it has to be sent once more."""
        return self._came.is_set()

    def until_it_came(self) -> None:
        """Wait for the answer, or for what went wrong; both are told later."""
        self._came.wait()

    def outcome(self) -> list[Array]:
        """All outputs in the graph's order; raises ProviderError. The same each time."""
        if self._answers is None and self._raised is None:
            try:
                self._answers = self._settle(self)
            except ProviderError as error:
                self._raised = error
        if self._raised is not None:
            raise self._raised
        assert self._answers is not None
        return self._answers

    def wait(self) -> list[Array]:
        """See `engines.Pending`."""
        answers = self.outcome()
        return [answer for at, answer in enumerate(answers) if at not in self.stays]


class _Memory:
    """What a window leaves to the next one."""

    def __init__(self, spec: TensorSpec) -> None:
        self.shape = tuple(size or 0 for size in spec.shape)
        self.dtype = np.dtype(spec.dtype)


class Later(_Memory):
    """A memory that came back with a window's answers, or will: it goes up again with the next window."""

    def __init__(self, window: Window, at: int, spec: TensorSpec) -> None:
        super().__init__(spec)
        self._window, self._at = window, at

    def value(self) -> Array:
        """Its value, not copied."""
        try:
            return self._window.outcome()[self._at]
        except ProviderError as error:
            raise ProviderError(
                f"the window before this one failed ({error}), and what it should have left is not there"
            ) from error

    def fetch(self) -> Array:
        """See `engines.Stayed`."""
        return np.array(self.value())


class Remembered(_Memory):
    """A memory that lies on the server: the one after `step` windows of the sequence `number`."""

    def __init__(self, number: int, step: int, spec: TensorSpec) -> None:
        super().__init__(spec)
        self.number, self.step = number, step

    def fetch(self) -> Array:
        """Raises ProviderError: the server tells nobody."""
        raise ProviderError("found a memory that a server keeps, expected one that can be brought back")
