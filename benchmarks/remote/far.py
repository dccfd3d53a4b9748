"""What stands at the other end, in processes of their own: a box, an echo, a slow link, a long one.

    python -m benchmarks.remote.far box STORE [HOST KEY-FILE] | echo [HOST] | link PORT RATE |
        delay HOST PORT SECONDS

Each prints the port that it listens on.
"""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from tests.remote.proxy import Proxy

from onscope.runtime.remote import Secret, Server
from onscope.runtime.remote.wire import LOOPBACK


def echo(host: str = LOOPBACK) -> None:
    """Send back what comes, whoever comes."""
    listening = socket.create_server((host, 0))
    print(listening.getsockname()[1], flush=True)
    while True:
        end, _ = listening.accept()
        threading.Thread(target=_echo, args=(end,), daemon=True).start()


def _echo(end: socket.socket) -> None:
    with end, suppress(OSError):
        while data := end.recv(1 << 18):
            end.sendall(data)


def main(what: str, *more: str) -> None:
    if what == "echo":
        echo(*more)
    elif what == "link":
        proxy = Proxy(int(more[0]), float(more[1]))
        print(proxy.port, flush=True)
        threading.Event().wait()
    elif what == "delay":
        proxy = Proxy(int(more[1]), delay_s=float(more[2]), there=more[0])
        print(proxy.port, flush=True)
        threading.Event().wait()
    else:
        host, secret = (more[1], Secret.of(Path(more[2]))) if len(more) > 1 else (LOOPBACK, None)
        server = Server(host, secret=secret, store=Path(more[0]))
        print(server.port, flush=True)
        server.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
