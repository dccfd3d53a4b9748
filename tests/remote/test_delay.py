"""The delay line that long ways are tried on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np

from onscope.runtime import Runtime, block
from tests import models
from tests.boxes import Running

from .proxy import Proxy
from .test_cuts import wait_for


@contextmanager
def echoed(delay_s: float) -> Iterator[socket.socket]:
    """One end of a line whose other end sends back what comes."""

    def echo(listening: socket.socket) -> None:
        end, _ = listening.accept()
        with end, suppress(OSError):
            while data := end.recv(1 << 16):
                end.sendall(data)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=echo, args=(listening,), daemon=True).start()
        line = Proxy(listening.getsockname()[1], delay_s=delay_s)
        with socket.create_connection(("127.0.0.1", line.port)) as end:
            yield end
        line.close()


def test_each_byte_comes_so_much_later_each_way() -> None:
    with echoed(0.05) as end:
        for _ in range(5):
            began = time.monotonic()
            end.sendall(b"x")
            assert end.recv(1) == b"x"
            assert time.monotonic() - began >= 0.1


def test_all_bytes_come_in_order_also_more_than_may_be_on_the_way() -> None:
    data = np.random.default_rng(1).bytes(40 << 20)
    with echoed(0.2) as end:
        sender = threading.Thread(target=end.sendall, args=(data,))
        began = time.monotonic()
        sender.start()
        found = bytearray()
        while len(found) < len(data):
            found += end.recv(1 << 20)
        took = time.monotonic() - began
        sender.join()
    assert found == data
    assert took >= 0.4


def test_a_run_over_a_long_way_answers_as_any(runtime: Callable[..., Runtime], box: Running) -> None:
    line = Proxy(box.port, delay_s=0.02)
    it = runtime(worker=line.address, admission=block(4))
    results = it.subscribe(block(21))
    for seq in range(20):
        it.submit(models.frame(seq))
    assert it.drain(60)
    it.close()
    wait_for(lambda: not box.server.workers)  # the goodbye is on its way, too
    line.close()
    found = list(results)
    assert [result.frame.id.seq for result in found] == list(range(20))
    assert all(result.stamps.delivered - result.stamps.sent >= 40_000_000 for result in found)
