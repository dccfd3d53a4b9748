"""`kserve:HOST:PORT`: graphs run on a Triton server, or any that speaks KServe v2 over gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..engines import Session
from ._address import parse_provider
from ._model import model_name, sha256_of
from ._server import Server
from ._session import KserveSession


class KserveEngine:
    """Opens graphs that a server has as models: those that `onscope deploy` wrote into its repository.

    KServe's Open Inference Protocol, version 2, over gRPC (kserve.github.io/website, "Open Inference Protocol"), with
    Triton's extensions for priorities, sequences and shared memory where they are asked for.
    """

    def __init__(self, argument: str = "") -> None:
        self._address = parse_provider(argument)

    def open(self, graph: Path, threads: int | None = None) -> Session:
        """Raises ProviderError when the server cannot be reached, or has no such model. `threads` are its own."""
        return KserveSession(graph, self._address)

    def made_for(self, graph: Path) -> Mapping[str, str]:
        """Which server, and which model of it: what its answers depend on. Raises ProviderError."""
        server = Server(self._address)
        try:
            model = server.model(self._address.model or model_name(sha256_of(graph)))
            return {"server": server.described(), "model": model.name, "version": model.version, "by": model.platform}
        finally:
            server.close()
