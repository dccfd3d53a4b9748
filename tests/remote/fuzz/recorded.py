"""What is really said: small runs over a link that is cut, written down at both ends as inputs of the harnesses."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from onscope.runtime import FrameSpec, Gather, Pipeline, Runtime, Stage, block
from onscope.runtime.remote.link._desk import Desk
from onscope.runtime.remote.server._guest import Guest
from onscope.runtime.remote.server._server import Server
from tests import models
from tests.boxes import Running

from ..proxy import Proxy
from .desk import SHA256
from .messages import Parts, joined

SPEC = FrameSpec((16, 16), "uint16", camera="cam")
FRAMES = 12


def record(folder: Path) -> dict[str, list[bytes]]:
    """Inputs by harness; takes seconds, and starts worker processes."""
    seeds: dict[str, list[bytes]] = defaultdict(list)
    for window in (1, 3):
        for name, messages in _run(folder / str(window), window).items():
            seeds[name].append(joined(messages))
    return dict(seeds)


def _run(folder: Path, window: int) -> dict[str, list[Parts]]:
    if window == 1:
        pipeline = Pipeline([Stage("plus", models.plus(folder / "plus", 3))])
    else:
        pipeline = Pipeline([Stage("mean", models.window_mean(folder / "mean", window))], Gather(window))
    heard: dict[str, list[Parts]] = defaultdict(list)
    with pytest.MonkeyPatch.context() as patch:
        _listen(patch, heard)
        box = Running(folder / "store")
        proxy = Proxy(box.port)
        try:
            with Runtime(pipeline, worker=proxy.address, admission=block(4)) as it:
                it.prepare(SPEC)
                for seq in range(FRAMES):
                    if seq == FRAMES // 2:
                        assert it.drain(30)
                        proxy.cut()
                    it.submit(models.frame(seq, seq, SPEC))
                assert it.drain(30)
                assert it.ledger.counts["done"] > 0
        finally:
            proxy.close()
            box.stop()
    sha256 = pipeline.networks[0].request.weights_sha256
    heard["desk"] = [[part.replace(sha256.encode(), SHA256.encode()) for part in parts] for parts in heard["desk"]]
    return heard


def _listen(patch: pytest.MonkeyPatch, heard: dict[str, list[Parts]]) -> None:
    """Write down what goes through a server, its guests and the desk of a PC."""

    def around(kind: type, name: str, note: Callable[..., object]) -> None:
        really = getattr(kind, name)

        def noted(self: Any, *args: Any) -> Any:
            note(*args)
            return really(self, *args)

        patch.setattr(kind, name, noted)

    def took(peer: bytes, parts: list[Any], *more: object) -> None:
        plain = [bytes(part) for part in parts]
        head = json.loads(plain[0])
        heard["unpack"].append(plain)
        heard["session"].append(plain)
        if head["kind"] == "hello":
            heard["greeting"].append(plain)

    def sent(peer: bytes, head: Mapping[str, Any], payload: Any = None) -> None:
        if "n" in head:
            heard["session"].append(_parts({"kind": "@take"}))

    def run(message: Mapping[str, Any]) -> None:
        kept = {key: message[key] for key in ("lane", "window", "answer") if key in message}
        if message["kind"] == "open":
            kept["names"] = [stage["name"] for stage in message["stages"]]
        heard["desk"] += [_parts({"kind": f"@{message['kind']}", **kept}), _parts({"kind": "@take"})]

    around(Server, "_take", took)
    around(Server, "_send", sent)
    around(Guest, "handle", lambda head, payload: heard["guest"].append(_parts(head, payload)))
    around(Guest, "answer", lambda message: heard["guest"].append(_parts({"kind": "@answer"})))
    around(Desk, "handle", lambda head, payload: heard["desk"].append(_parts(head, payload)))
    around(Desk, "send", run)


def _parts(head: Mapping[str, Any], payload: Any = None) -> Parts:
    data = json.dumps(head, separators=(",", ":")).encode()
    return [data] if payload is None else [data, bytes(payload)]
