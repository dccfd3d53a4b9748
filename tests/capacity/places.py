"""Facilities for tests: alike microscopes before one server, and a lone one that stands for a textbook's queue."""

from __future__ import annotations

from typing import Any

from onscope.runtime.capacity import Batching, Cost, Facility, Rhythm, Scope, Server

ONE = Batching()


def alike(n: int, ms: float, fps: float, servers: int = 1, batching: Batching = ONE, **more: Any) -> Facility:
    """`n` microscopes before one server; a batch of 8 takes three times as long as one window. `more`: of a Scope."""
    link, gbit = more.pop("server_gbit", None), more.pop("link_gbit", None)
    jitter, message = more.pop("jitter", 0.0), more.pop("message_ms", 0.0)
    priorities = more.pop("priorities", [1] * n)
    scopes = [
        Scope(f"scope {at}", Rhythm(fps, jitter), "net", link_gbit=gbit, priority=priorities[at], **more)
        for at in range(n)
    ]
    return Facility(scopes, [Server(servers, batching, link, message)], {"net": Cost({1: [ms], 8: [3 * ms]})})
