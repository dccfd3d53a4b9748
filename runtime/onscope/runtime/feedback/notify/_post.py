"""POST to a webhook: to the loopback alone, whatever names and proxies this machine has; redirects are not followed."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Mapping
from typing import Any

from ._targets import LOCAL, Webhook, is_loopback

MOST_ANSWER = 1 << 16
"""Bytes of the answer that are read."""


def post(webhook: Webhook, content: Mapping[str, Any], timeout_s: float) -> None:
    """Send `content` as JSON; back when it was answered with a 2xx. Raises OSError (also for any other answer)."""
    body = json.dumps(content, allow_nan=False).encode("ascii")
    connection = http.client.HTTPConnection(webhook.host, webhook.port, timeout=timeout_s)
    connection.sock = _connected(webhook, timeout_s)  # no proxy, and no name that leads elsewhere
    # The socket's own time-out begins anew with each byte that comes.
    overdue = threading.Event()
    timer = threading.Timer(timeout_s, _end, (connection.sock, overdue))
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", webhook.path, body, {"Content-Type": "application/json", "Connection": "close"})
        answer = connection.getresponse()
        answer.read(MOST_ANSWER)
        if overdue.is_set():  # what was cut off reads like an end
            raise TimeoutError
        if not 200 <= answer.status < 300:
            raise OSError(f"it answered {answer.status} {' '.join(answer.reason.split())[:80]}")
    except (http.client.HTTPException, OSError) as error:
        if overdue.is_set() or isinstance(error, TimeoutError):
            raise TimeoutError(f"it did not answer within {timeout_s:g} s") from error
        if isinstance(error, OSError):
            raise
        raise OSError(f"it answered what is no HTTP ({type(error).__name__})") from error
    finally:
        timer.cancel()
        connection.close()


def _connected(webhook: Webhook, timeout_s: float) -> socket.socket:
    hosts = ("127.0.0.1", "::1") if webhook.host == LOCAL else (webhook.host,)
    failed: OSError = OSError("it has no address")
    for host in hosts:
        if not is_loopback(host):
            raise OSError(f"{host} is not on this machine")
        try:
            return socket.create_connection((host, webhook.port), timeout_s)
        except OSError as error:
            failed = error
    raise failed


def _end(sock: socket.socket, overdue: threading.Event) -> None:
    overdue.set()
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
