"""The page that Prometheus asks: GET /metrics, on this machine alone unless a token is given."""

from __future__ import annotations

import hmac
import ipaddress
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from ._errors import ServiceError
from ._secrets import keep_secret

LOOPBACK = "127.0.0.1"
PATIENCE_S = 10.0
SHORTEST_TOKEN = 16


class MetricsPage:
    """Serves what `metrics` collects at http://HOST:PORT/metrics while the block lasts.

    `port` 0: a free one. Beyond loopback a `token` is needed, which Prometheus sends as `authorization: {credentials:
    TOKEN}`. Raises ServiceError when prometheus_client is missing, the address is taken, or a token is.
    """

    def __init__(self, metrics: Any, port: int, host: str = LOOPBACK, token: str | None = None) -> None:
        registry = _registry()
        registry.register(metrics)
        if not is_loopback(host) and not token:
            raise ServiceError(
                f"found no token for metrics on {host}, expected one: others can reach it there. Set "
                "ONSCOPE_METRICS_TOKEN, or leave the host out"
            )
        if token is not None and len(token) < SHORTEST_TOKEN:
            raise ServiceError(
                f"found a token of {len(token)} characters, expected {SHORTEST_TOKEN} or more: `openssl rand -hex 16` "
                "makes one"
            )
        keep_secret(token)
        try:
            self._server = _Server((host, port), _handler(registry, token))
        except OSError as error:
            raise ServiceError(
                f"metrics cannot be given at {host}:{port} ({error.strerror or error}): choose another port"
            ) from error
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_port}/metrics"
        self._thread = threading.Thread(target=self._server.serve_forever, name="onscope-metrics-page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(2.0)

    def __enter__(self) -> MetricsPage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _registry() -> Any:
    try:
        from prometheus_client import CollectorRegistry
    except ImportError as error:
        raise ServiceError(
            "metrics need prometheus_client, which is not installed: pip install 'onscope[metrics]'"
        ) from error
    return CollectorRegistry(auto_describe=False)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asks and goes away is no affair of the log."""


def _handler(registry: Any, token: str | None) -> type[BaseHTTPRequestHandler]:
    from prometheus_client.exposition import choose_encoder

    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE_S
        server_version, sys_version = "onscope", ""

        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "")
            if token is not None and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                self._answer(401, "text/plain; charset=utf-8", b"a token is needed\n")
            elif self.path.partition("?")[0] != "/metrics":
                self._answer(404, "text/plain; charset=utf-8", b"the metrics are at /metrics\n")
            else:
                encode, kind = choose_encoder(self.headers.get("Accept", ""))
                self._answer(200, kind, encode(registry))

        def _answer(self, code: int, kind: str, content: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if code == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """A scrape every few seconds is no news."""

    return Handler
