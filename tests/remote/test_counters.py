"""Both ends of a link count what they do, and a scrape of the runtime tells the PC's."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import zmq

from onscope.runtime import Runtime, block
from onscope.runtime.service import Metrics
from tests import models
from tests.boxes import Running

from .test_cuts import check, take, through

FRAMES = 200


def test_what_both_ends_counted(runtime: Callable[..., Runtime], box: Running) -> None:
    with through(box) as proxy:
        it = runtime(worker=proxy.address, admission=block(4))
        link: Any = it._path.supervisor.link
        mine, its = link.counters, box.server.counters
        assert mine.up
        assert its.greetings == {"new": 1, "resumed": 0, "refused": 0}
        check(it, take(it, FRAMES, 0.005, lambda: proxy.cut_now_and_then(1.0, 0.2, 5)), FRAMES)
    assert mine.cuts == its.greetings["resumed"] > 0
    assert its.windows == mine.windows >= FRAMES
    assert its.failed == 0
    buckets, seconds = its.took.read()
    assert buckets[-1] == ("+Inf", its.windows)
    assert seconds > 0
    pixels = FRAMES * models.SPEC.nbytes
    assert mine.sent_bytes >= its.received_bytes > pixels  # what was cut off had been sent
    assert its.sent_bytes >= mine.received_bytes > pixels
    assert its.files > 0
    assert mine.round_trip_s > 0
    assert abs(mine.clock_offset_s) <= mine.clock_uncertainty_s < 1
    assert not mine.up  # the runtime is closed


def test_what_is_no_message_counts(box: Running) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(box.address)
        stranger.send_multipart([b"no JSON"])
        stranger.recv()
        stranger.send_multipart([b'{"kind": "hello", "token": "", "version": 0, "worker_version": 0, "onscope": "0"}'])
        stranger.recv()
    with socket.create_connection(("127.0.0.1", box.port)) as other:
        other.sendall(b"GET / HTTP/1.1\r\n\r\n")
    counters = box.server.counters
    assert counters.malformed == 1
    assert counters.greetings["refused"] == 1
    assert counters.received_bytes > 80


def test_a_scrape_tells_of_the_link(runtime: Callable[..., Runtime], box: Running) -> None:
    it = runtime(admission=block(4))
    with_link = Metrics(it)
    it.submit(models.frame(0))
    assert it.drain(30)
    found = {family.name: family.samples[0].value for family in with_link.collect() if "_link_" in family.name}
    with_link.close()
    assert found["onscope_link_up"] == 1
    assert found["onscope_link_windows"] >= 1
    assert found["onscope_link_sent_bytes"] >= models.SPEC.nbytes
