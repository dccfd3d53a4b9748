"""A server that speaks docs/view-inside.md over a real WebSocket, with what a test puts into it.

It checks what viewers say as the contract has it, gives one update per credit, and can leave, come back and refuse.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from onscope.view._wire import MOST_TEXT, pack
from tests.view.client.values import IMAGES, SHAPE, STATUS, layout


class StandIn:
    """`frame` is the number of the newest frame; `heard` all messages of viewers, `png` that of its snapshots."""

    def __init__(self, token: str = "", port: int = 0, objects: int = 3) -> None:
        self.token, self.objects = token, objects
        self.layout = layout()
        self.frame = 0
        self.dead: frozenset[int] = frozenset()
        self.heard: list[dict[str, Any]] = []
        self.updates = 0
        self.answers = True
        self.png = b"\x89PNG of a test"
        self._lock = threading.Lock()
        self._sockets: list[ServerConnection] = []
        self._server: Server = serve(self._serve, "127.0.0.1", port, compression=None, max_size=MOST_TEXT)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.socket.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/#{self.token}"

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to all viewers that were greeted."""
        with self._lock:
            for socket in self._sockets:
                with suppress(ConnectionClosed):
                    socket.send(json.dumps(message))

    def drop(self) -> None:
        """Cut all connections, without a word."""
        with self._lock:
            for socket in self._sockets:
                with suppress(OSError):
                    socket.socket.shutdown(SHUT_RDWR)

    def close(self) -> None:
        self._server.shutdown()
        for socket in list(self._sockets):
            socket.close()
        self._thread.join(10)

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in list(self.heard) if each.get("type") == kind]

    def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path == "/live"
        hello = json.loads(socket.recv())
        self.heard.append(hello)
        if hello.get("token") != self.token:
            socket.send(json.dumps({"type": "refused", "words": "found another token, expected the run's"}))
            socket.close(1008, "token")
            return
        with self._lock:  # who has heard these is one of those that are told
            socket.send(json.dumps({"type": "hello", "version": 1, "layout": self.layout}))
            socket.send(json.dumps(STATUS))
            self._sockets.append(socket)
        views: list[dict[str, Any]] = []
        credit = 0
        try:
            for text in socket:
                message = json.loads(text)
                self.heard.append(message)
                if message["type"] == "show":
                    views = message["views"]
                elif message["type"] == "credit":
                    credit += message["n"]
                    assert credit <= 2
                elif message["type"] == "do" and self.answers:
                    self._do(socket, message)
                while credit and views:
                    credit -= 1
                    self.updates += 1
                    socket.send(self.update(views))
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._sockets.remove(socket)

    def _do(self, socket: ServerConnection, message: dict[str, Any]) -> None:
        action, done = message["action"], {"type": "done", "id": message["id"]}
        if action not in self.layout["actions"]:
            socket.send(json.dumps(done | {"ok": False, "words": f"found the action {action!r}, expected another"}))
            return
        more = {"name": "one.png"} if action == "snapshot" else {}
        socket.send(json.dumps(done | {"ok": True, "words": f"{action}: done"} | more))
        if action == "snapshot":
            socket.send(pack({"snapshot": "one.png", "array": 0}, [np.frombuffer(self.png, np.uint8)]))

    def objects_now(self) -> dict[str, np.ndarray[Any, Any]]:
        """The objects of the newest frame: number k goes right along row 8 k, from frame to frame."""
        alive = np.array([k for k in range(1, self.objects + 1) if k not in self.dead])
        y, x = 8.0 * alive, 10.0 + self.frame + 3.0 * alive
        return {"label": alive, "track": alive, "parent": 0 * alive, "y": y, "x": x % SHAPE[1], "area": 9.0 + alive}

    def pixels(self, image: str) -> np.ndarray[Any, Any]:
        """What the newest frame's image shows: its number in the upper left corner."""
        shape = next(each.shape for each in IMAGES if each.name == image)
        rows, columns = np.mgrid[: shape[0], : shape[1]]
        if image == "nuclei":
            labels = np.zeros(shape, np.uint16)
            now = self.objects_now()
            for label, y, x in zip(now["label"], now["y"], now["x"], strict=True):
                labels[np.hypot(rows - y, columns - x) < 3] = label
            return labels
        picture: np.ndarray[Any, Any] = (100 + rows + 2 * columns).astype(np.uint16)
        picture[0, 0] = self.frame
        return picture

    def update(self, views: list[dict[str, Any]]) -> bytes:
        arrays: list[np.ndarray[Any, Any]] = []

        def keep(array: np.ndarray[Any, Any]) -> int:
            arrays.append(np.ascontiguousarray(array))
            return len(arrays) - 1

        now, tables, vectors, pictures = self.objects_now(), {}, [], []
        for view in views:
            picture = self.pixels(view["image"])
            step = max(1, -(-picture.shape[0] // view["size"][0]), -(-picture.shape[1] // view["size"][1]))
            number = keep(picture[::step, ::step])
            pictures.append({"id": view["id"], "image": view["image"], "rect": [0, 0, *SHAPE], "array": number,
                             "low": 100.0, "high": 900.0, "wanted_rect": None,
                             "values": [100.0, 900.0] if view["image"] == "denoise" else [0.0, 65535.0]})  # fmt: skip
            for each in view["vectors"]:
                kind, name = each.split(":")
                table = next(one for one in self.layout["tables"] if one["name"] == name)
                places = (np.stack([now["y"], now["x"]], axis=1) + 0.5).astype(np.float32)
                vector = {"id": view["id"], "kind": kind, "table": name, "points": {"array": keep(places)}}
                if kind in ("outlines", "tails"):
                    vector["starts"] = {"array": keep(np.arange(len(places) + 1, dtype=np.uint32))}
                    vector["rows"] = {"array": keep(np.arange(len(places), dtype=np.uint32))}
                vectors.append(vector)
                tables[name] = {column: {"array": keep(now[column])} for column in table["columns"]}
        who = {"run": self.layout["run"], "camera": "cam", "segment": 0, "seq": self.frame, "index": {"t": self.frame}}
        told = [{"name": name, "columns": columns} for name, columns in tables.items()]
        head = {"frame": who | {"state": "done"}, "age_ms": 12.5, "views": pictures, "vectors": vectors, "tables": told,
                "trust": {"denoise": {"suspicion": 0.3}}, "suspect": {}, "latency_ms": 21.0}  # fmt: skip
        return pack(head, arrays)


@contextmanager
def standin(**more: Any) -> Iterator[StandIn]:
    server = StandIn(**more)
    try:
        yield server
    finally:
        server.close()
