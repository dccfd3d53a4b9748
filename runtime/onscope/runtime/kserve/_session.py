"""One graph on a KServe v2 server: windows are sent, several at once, and their answers waited for."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from .._errors import DeviceLostError, ProviderError
from ..engines import Pending, Stayed, TensorSpec, check_arrays
from ._address import Address
from ._errors import failure, is_cut, is_forgotten
from ._model import model_of, served
from ._sequences import Sequences
from ._server import Server, new_input
from ._shared import Array, SharedAnswers, SharedFrames, forget_leftovers
from ._window import Later, Window

AGAIN_S = 0.5
"""How long a window whose connection was cut waits for the server, before it is sent once more or counts as lost."""
TIMES = 3
"""How often it is sent again at most."""
LOOK_S = 0.05


class KserveSession:
    """A session as `engines.Staged` describes it. Raises ProviderError when the server cannot run the graph.

    A window without a memory is sent once more when its connection was cut: it gives the same answer whether the server
    had run it already or not. One of a network whose memory the server keeps is not.
    """

    def __init__(self, graph: Path, address: Address) -> None:
        self.provider = address.provider
        self._address = address
        self._server = Server(address)
        model, of_class = model_of(self._server, graph, address)
        self._served = served(graph, model)
        self.inputs, self.outputs = self._served.inputs, self._served.outputs
        self.depth = 1 if self._served.kept else address.in_flight
        self._model = model.name
        self.memories = address.memories if self._served.kept else None
        self._stays: tuple[int, ...] = ()
        self._begun: deque[Window] = deque()
        self._windows = 0
        self._sequences = Sequences()
        self._away = False
        self.woken: Callable[[], object] = lambda: None
        self._frames: SharedFrames | None = None
        self._answers: SharedAnswers | None = None
        if address.is_local and address.shared == "auto":
            forget_leftovers(self._server)
            self._answers = SharedAnswers(self._server, self._coming, self.depth + 1)
        ways = "shared memory" if self._answers is not None and self._answers.known else "the connection"
        many = "several at once, " if self._served.batches else ""
        memory = "; what the network remembers lies there" if self._served.kept else ""
        alike = address.priority and not (of_class or address.model)
        usual = f", the usual one, for there is none of priority {address.priority}" if alike else ""
        self.about = (
            f"{address} is {self._server.described()}: {model.name} version {model.version or '?'} ({model.platform})"
            f"{usual}, windows go through {ways}, {many}up to {self.depth} on their way{memory}"
        )

    @property
    def _coming(self) -> list[TensorSpec]:
        return [each for at, each in enumerate(self.outputs) if at not in self._served.left]

    def lie_in(self, memory: Array) -> None:
        """Frames are copied from where they lie; see `lie_in_shared`."""

    def lie_in_shared(self, segment: str, memory: Array) -> None:
        """The arrays that are given will lie in this memory, which is the shared segment of that name."""
        if self._answers is not None:
            self._frames = SharedFrames(self._server, segment, memory)

    def stay(self, outputs: Sequence[int]) -> None:
        """See `engines.Staged`."""
        self._stays = tuple(outputs)

    def run(self, arrays: Sequence[Array | Stayed]) -> list[Array]:
        """See `engines.Staged`. A memory that the server keeps is given as zeros: it is not brought back."""
        return self._begin(arrays, ()).outcome()

    def start(self, arrays: Sequence[Array | Stayed], keys: Sequence[int | None] | None = None) -> Pending:
        """See `engines.Staged`."""
        return self._begin(arrays, self._stays)

    def _begin(self, arrays: Sequence[Array | Stayed], stays: Sequence[int]) -> Window:
        check_arrays(self.inputs, arrays)
        while len(self._begun) >= self.depth:
            self._begun.popleft().until_it_came()
        self._windows += 1
        plain = [at for at in stays if at not in self._served.left]
        window = Window(self._windows % (self.depth + 1), self.outputs, plain, self._settled, self._wake)
        if self._served.kept:
            self._remember(window, [arrays[at] for at in self._served.kept], stays)
        window.given = [self._input(at, each) for at, each in enumerate(arrays) if at not in self._served.kept]
        if self._away and self._server.is_live(LOOK_S):  # it may be another one, that knows nothing of this memory
            self._share_again()
        self._send(window)
        self._begun.append(window)
        return window

    def _send(self, window: Window) -> None:
        window.leaves()
        self._server.send(self._model, window.given, self._wanted(window), window.answered, window.step)

    def _wake(self) -> None:
        self.woken()

    def _input(self, at: int, array: Array | Stayed) -> object:
        spec = self.inputs[at]
        if isinstance(array, Later):
            array = array.value()
        if not isinstance(array, np.ndarray):
            raise ProviderError(f"found a {type(array).__name__} of another session, expected one of this session")
        if spec.name in self._served.as_bytes:
            array = np.ascontiguousarray(array)[..., np.newaxis].view(np.uint8)
        shape = (1, *array.shape) if self._served.batches else array.shape
        given = new_input(spec.name, shape, array.dtype)
        place = None if self._frames is None else self._frames.place(array)
        if place is None:
            given.set_data_from_numpy(np.ascontiguousarray(array).reshape(shape))
        else:
            given.set_shared_memory(place.region, place.size, place.offset)
        return given

    def _wanted(self, window: Window) -> list[object]:
        from tritonclient.grpc import InferRequestedOutput

        wanted = []
        window.places.clear()
        for at, spec in enumerate(self.outputs):
            if at in self._served.left:
                continue
            one = InferRequestedOutput(spec.name)
            # What stays is used longer than a slot is this window's.
            place = None if self._answers is None or at in window.stays else self._answers.place(window.slot, spec)
            if place is not None:
                window.places[at] = place
                one.set_shared_memory(place.region, place.size, place.offset)
            wanted.append(one)
        return wanted

    def _remember(self, window: Window, memories: Sequence[Array | Stayed], stays: Sequence[int]) -> None:
        """Which of the server's sequences the window goes on with, or that it begins one."""
        self._end_sequences()
        window.step, window.stayed = self._sequences.next(memories, [self.outputs[at] for at in stays])
        window.stays = tuple(stays)

    def _end_sequences(self) -> None:
        """Tell the server which it may forget; it takes a window for that, which is empty."""
        for step in self._sequences.over():
            zeros = [np.zeros(tuple(size or 0 for size in each.shape), each.dtype) for each in self.inputs]
            given = [self._input(at, each) for at, each in enumerate(zeros) if at not in self._served.kept]
            with contextlib.suppress(ProviderError):
                self._server.send(self._model, given, None, lambda result, error: None, step)

    def _settled(self, window: Window) -> list[Array]:
        """All answers of a window that has come, or will; raises ProviderError."""
        window.until_it_came()
        for _ in range(TIMES):
            if window.error is None or not self._may_go_again(window.error):
                break
            self._send(window)
            window.until_it_came()
        if window.error is not None:
            self._give_up(window)
            error = failure(self._address, window.error, self._address.timeout_s)
            self._away = isinstance(error, DeviceLostError)
            raise error from window.error
        self._away = False
        return [self._answer(window, at, spec) for at, spec in enumerate(self.outputs)]

    def _answer(self, window: Window, at: int, spec: TensorSpec) -> Array:
        if at in self._served.left:
            return np.zeros(tuple(size or 0 for size in spec.shape), spec.dtype)
        assert window.result is not None
        said = window.result.get_output(spec.name)
        shape = () if said is None else tuple(said.shape)[1 if self._served.batches else 0 :]
        if paired := spec.name in self._served.as_bytes:
            shape = shape[:-1]
        if len(shape) != len(spec.shape) or any(a not in (None, b) for a, b in zip(spec.shape, shape, strict=True)):
            raise ProviderError(f"found {spec.name!r} of the shape {list(shape)}, expected {list(spec.shape)}")
        if at in window.places:
            return window.places[at].array
        answer = window.result.as_numpy(spec.name)
        if answer is not None and paired:
            answer = np.ascontiguousarray(answer).view(np.uint16)
        if answer is None or answer.dtype != spec.dtype:
            raise ProviderError(f"found no {spec.dtype} for {spec.name!r} in the server's answer, expected some")
        return np.asarray(answer.reshape(shape))

    def _may_go_again(self, error: Exception) -> bool:
        """Whether a window that failed is sent once more: where it was not begun with, or gives the same answer."""
        if is_forgotten(error) and self._frames_or_answers:
            self._share_again()
            return True
        return is_cut(error) and not self._served.kept and self._is_back()

    @property
    def _frames_or_answers(self) -> bool:
        return self._frames is not None or self._answers is not None

    def _share_again(self) -> None:
        if self._frames is not None:
            self._frames.share()
        if self._answers is not None:
            self._answers.share()

    def _is_back(self) -> bool:
        """Whether the server answers, at once or soon; where it was away before, it is not waited for."""
        end = time.monotonic() + (0.0 if self._away else AGAIN_S)
        while not (live := self._server.is_live(AGAIN_S)) and time.monotonic() < end:
            time.sleep(LOOK_S)
        return live

    def _give_up(self, window: Window) -> None:
        if self._answers is not None:
            self._answers.renew(window.slot)
        if window.step is not None:
            self._sequences.failed(window.step)

    def close(self) -> None:
        """Give back what the server holds of this machine's memory, and end the connection."""
        for window in self._begun:
            window.until_it_came()
        self._end_sequences()
        for shared in (self._frames, self._answers):
            if shared is not None:
                shared.close()
        self._server.close()
