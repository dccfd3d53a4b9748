"""What each end says to the other's packed pieces that are none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zmq

from onscope.runtime._shm import SharedSlots
from onscope.runtime.remote import Box
from tests.boxes import Running

from .test_strangers import HELLO, OPEN, dealer, said


def test_a_box_refuses_in_words_what_does_not_unpack(box: Running) -> None:
    opening = {"kind": "worker", "message": {**OPEN, "stages": [], "ring": {"slot_bytes": 4096, "slots": 1}}}
    fill = {"kind": "fill", "lane": 0, "slot": 0, "at": 0, "bytes": 4000, "item": 2}
    for more, words in (
        ({}, "found a packed piece that does not unpack to 4000 bytes"),
        ({"bytes": 1 << 50}, "found bytes 1125899906842624, expected a whole number from 1 to 524288"),
        ({"bytes": 5000}, "found at 0, expected a whole number from 0 to -904"),
    ):
        with dealer(box.port) as socket:
            socket.send(json.dumps(HELLO).encode())
            said(socket, "welcome")
            socket.send(json.dumps({**opening, "n": 1, "got": 0}).encode())
            socket.send_multipart([json.dumps({**fill, **more, "n": 2, "got": 0}).encode(), b"no Zstandard"])
            assert words in said(socket, "refused")["words"]
    with dealer(box.port) as socket:
        socket.send(json.dumps({**HELLO, "pack": "sometimes"}).encode())
        assert "found packing 'sometimes', expected never, always, auto" in said(socket, "refused")["words"]
    deadline = time.monotonic() + 10
    while box.server.workers and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not box.server.workers


@contextmanager
def lying_box(piece: dict[str, Any]) -> Iterator[str]:
    """The address of one who lets a PC in, and sends a piece of an answer once a window has come."""
    with zmq.Context() as context, context.socket(zmq.ROUTER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 10_000)
        port = socket.bind_to_random_port("tcp://127.0.0.1")

        def lie() -> None:
            got = 0
            while True:
                peer, data, *_ = socket.recv_multipart()
                head = json.loads(data)
                got = max(got, head.get("n", 0))
                if head["kind"] == "hello":
                    welcome = {"kind": "welcome", "session": "a", "got": 0, "host": "liar", "onscope": "1"}
                    socket.send_multipart([peer, json.dumps(welcome).encode()])
                elif head["kind"] == "worker" and head["message"]["kind"] == "run":
                    told = {"kind": "part", "lane": 0, "answer": 0, "at": 0, "n": 1, "got": got, **piece}
                    socket.send_multipart([peer, json.dumps(told).encode(), b"no Zstandard"])
                    return

        thread = threading.Thread(target=lie)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{port}"
        finally:
            thread.join(30)


def test_a_pc_says_in_words_what_does_not_unpack() -> None:
    frames, answers = SharedSlots.create(4096, 1), SharedSlots.create(4096, 1)
    ring = {"name": frames.name, "slot_bytes": 4096, "slots": 1}
    spec = {"shape": [16, 16], "dtype": "uint16"}
    opening = {"kind": "open", "lane": 0, "stages": [], "ring": ring, "length": 1, "spec": spec, "calibration": None}
    run = {"kind": "run", "window": 1, "lane": 0, "slots": [0], "keys": None, "answer": 0, "stages": None}
    for piece, words in (
        ({"bytes": 4000, "item": 2}, "found a packed piece that does not unpack to 4000 bytes"),
        ({"bytes": 1 << 50, "item": 2}, "found bytes 1125899906842624, expected a whole number from 1 to 524288"),
    ):
        with lying_box(piece) as address:
            link = Box(address)()
            link.send(opening)
            link.send({"kind": "answers", "lane": 0, "name": answers.name, "slot_bytes": 4096, "slots": 1})
            link.send(run)
            while link.receive() is not None:
                pass
            assert link.epitaph().startswith(f"the box at {address} sent what makes no sense: {words}")
            link.close()
    frames.close()
    answers.close()
