"""A KServe v2 server over gRPC: one connection, the model that a graph is there, and requests to it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import ProviderError
from ._address import AUTHORIZATION, SYSTEM, TOKEN_VARIABLE, Address
from ._errors import MISSING, code_of, failure, words_of

if TYPE_CHECKING:
    from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, InferResult

    from ._sequences import Step

    Answered = Callable[["InferResult | None", "Exception | None"], object]

LARGEST_BYTES = 2**31 - 1
"""Of one message; a window of 8 frames of 4096x4096 has 268 MB."""
CHANNEL = (
    ("grpc.max_send_message_length", LARGEST_BYTES),
    ("grpc.max_receive_message_length", LARGEST_BYTES),
    # gRPC waits up to two minutes before it tries again; a server that is back is wanted sooner.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A cable that is pulled says nothing: the other end is asked, also while no window is on its way.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Each session has a connection of its own: a large window of one does not stand before those of another.
    ("grpc.use_local_subchannel_pool", 1),
)
CONTACT_S = 5.0
"""How long the first contact may take."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the server describes it; -1 stands for a free size."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """What a server says of a model: `platform` is the back end that runs it there."""

    name: str
    version: str
    platform: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Server:
    """A connection. Raises ProviderError when there is none, or no model of that name."""

    def __init__(self, address: Address) -> None:
        import tritonclient.grpc as grpc

        self.address = address
        self._grpc = grpc
        self._token = os.environ.get(TOKEN_VARIABLE, "")
        if self._token and not (address.tls or address.is_local):
            raise ProviderError(
                f"found a token for {address} without encryption, expected the server's authorities with it: name them "
                "as ?tls=FILE"
            )
        self._client: InferenceServerClient = self._connected()

    def _connected(self) -> InferenceServerClient:
        address = self.address
        files = {"root_certificates": address.tls, "private_key": address.key, "certificate_chain": address.cert}
        known = {name: path for name, path in files.items() if path and path != SYSTEM}
        for path in known.values():
            if not Path(path).is_file():
                raise ProviderError(f"found no file {path}, expected a certificate or key for {address}: correct it")
        try:
            return self._grpc.InferenceServerClient(
                address.target, ssl=bool(address.tls), channel_args=list(CHANNEL), **known
            )
        except Exception as error:  # gRPC's own for certificates that are none
            raise ProviderError(f"cannot speak with {address}: {words_of(error)}") from error

    @property
    def _headers(self) -> dict[str, str]:
        if not self._token:
            return {}
        header = self.address.header
        return {header: f"Bearer {self._token}" if header == AUTHORIZATION else self._token}

    def model(self, name: str) -> Model:
        """What the server says of a model; raises ProviderError when it has none of that name, or cannot be reached."""
        if (model := self.find(name)) is None:
            raise ProviderError(
                f"found no model {name!r} on {self.address}, expected this graph there: write it with `onscope "
                "deploy PIPELINE --triton REPOSITORY` for frames of this size, and have the server load it"
            )
        return model

    def find(self, name: str) -> Model | None:
        """The same; None: there is none of that name."""
        try:
            said = self._client.get_model_metadata(name, headers=self._headers, client_timeout=CONTACT_S)
        except self._grpc.InferenceServerException as error:
            if code_of(error) == MISSING:
                return None
            raise ProviderError(f"{self.address} cannot be reached: {words_of(error)}") from error
        version = max(said.versions, key=lambda each: (len(each), each), default="")
        return Model(name, version, said.platform, _tensors(said.inputs), _tensors(said.outputs))

    def described(self) -> str:
        """Which server it is, and of which version."""
        with contextlib.suppress(self._grpc.InferenceServerException):
            said = self._client.get_server_metadata(headers=self._headers, client_timeout=CONTACT_S)
            return f"{said.name} {said.version}".strip()
        return "a server that does not name itself"

    def is_live(self, timeout_s: float) -> bool:
        """Whether it answers now."""
        with contextlib.suppress(self._grpc.InferenceServerException):
            return bool(self._client.is_server_live(headers=self._headers, client_timeout=timeout_s))
        return False

    def send(
        self,
        model: str,
        inputs: Sequence[InferInput],
        outputs: Sequence[InferRequestedOutput] | None,
        answered: Answered,
        step: Step | None = None,
    ) -> None:
        """Send a window; `answered` is called from a thread of gRPC's. `step`: its place in a sequence."""
        try:
            self._client.async_infer(
                model,
                inputs,
                lambda result, error: answered(result, error),
                outputs=outputs,
                sequence_id=0 if step is None else step.number,
                sequence_start=step is not None and step.begins,
                sequence_end=step is not None and step.ends,
                priority=self.address.priority,
                client_timeout=self.address.timeout_s,
                headers=self._headers,
            )
        except Exception as error:  # what gRPC refuses to send at all
            raise failure(self.address, error, self.address.timeout_s) from error

    def share(self, region: str, segment: str, size: int) -> bool:
        """Have the server use a segment of this machine's shared memory; whether it can."""
        try:
            self._client.register_system_shared_memory(
                region, f"/{segment}", size, headers=self._headers, client_timeout=CONTACT_S
            )
        except self._grpc.InferenceServerException as error:
            return code_of(error) == "ALREADY_EXISTS"  # it was not started again: names are of one session
        return True

    def unshare(self, region: str) -> None:
        """Have it forget a region; one that is gone already is no error."""
        with contextlib.suppress(self._grpc.InferenceServerException, ValueError):
            self._client.unregister_system_shared_memory(region, headers=self._headers, client_timeout=1.0)

    def shared(self) -> dict[str, str]:
        """The regions that the server knows, and the segments that they are."""
        with contextlib.suppress(self._grpc.InferenceServerException):
            said = self._client.get_system_shared_memory_status(headers=self._headers, client_timeout=CONTACT_S)
            return {name: region.key.lstrip("/") for name, region in said.regions.items()}
        return {}

    def close(self) -> None:
        """End the connection; what is on its way is given up."""
        # In a thread: a channel that is just being made waits for that.
        threading.Thread(target=self._client.close, name="onscope-kserve-close", daemon=True).start()


def _tensors(said: Iterable[Any]) -> tuple[Tensor, ...]:
    return tuple(Tensor(each.name, each.datatype, tuple(each.shape)) for each in said)


def new_input(name: str, shape: Sequence[int], dtype: Any) -> InferInput:
    """An input of a request, without its values."""
    from tritonclient.grpc import InferInput
    from tritonclient.utils import np_to_triton_dtype

    return InferInput(name, list(shape), np_to_triton_dtype(dtype))
