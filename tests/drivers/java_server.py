"""A stand-in for a Java Micro-Manager, run as a program: a real core behind the messages of PyJavaZ's ZMQ server.

It speaks to the real Python client of the bridge, and behaves as the Java core was seen to: images are objects of the
server whose fields are read over the wire, pixels are flat, vectors and points are objects too, integral doubles come
as integers, errors are texts of a Java stack. `java_server.py PORT FOLDER`: it writes FOLDER/ready when it serves,
FOLDER/count with the objects it holds and the fields it was asked for; FOLDER/hang makes its next calls hang.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pymmcore
import zmq

from onscope.drivers import micromanager
from onscope.drivers.micromanager._mmpycorex import tagged_image

JAVA = {"int": "int", "float": "double", "str": "java.lang.String", "bool": "boolean"}
METHODS: dict[str, list[list[str]]] = {
    "popNextTaggedImage": [[]],
    "getLastTaggedImage": [[]],
    "setIncludeSystemStateCache": [["bool"]],
    "setROI": [["int"] * 4],
    "clearROI": [[]],
    "getProperty": [["str", "str"]],
    "setProperty": [["str", "str", "str"], ["str", "str", "int"], ["str", "str", "float"], ["str", "str", "bool"]],
    "getAllowedPropertyValues": [["str", "str"]],
    "setExposure": [["float"]],
    "setCameraDevice": [["str"]],
    "getCameraChannelName": [["int"]],
    "deviceBusy": [["str"]],
    "waitForDevice": [["str"]],
    "setRelativeXYPosition": [["float", "float"]],
    "setXYPosition": [["float", "float"]],
    "setPosition": [["float"]],
    "setAutoShutter": [["bool"]],
    "setShutterOpen": [["bool"]],
    "setConfig": [["str", "str"]],
    "waitForConfig": [["str", "str"]],
    "getCurrentConfig": [["str"]],
    "getAvailableConfigs": [["str"]],
    "hasProperty": [["str", "str"]],
    "hasPropertyLimits": [["str", "str"]],
    "getPropertyLowerLimit": [["str", "str"]],
    "getPropertyUpperLimit": [["str", "str"]],
    "setCircularBufferMemoryFootprint": [["int"]],
    "startSequenceAcquisition": [["int", "float", "bool"], ["str", "int", "float", "bool"]],
    "startContinuousSequenceAcquisition": [["float"]],
    "stopSequenceAcquisition": [[], ["str"]],
    "isSequenceRunning": [[], ["str"]],
}
PLAIN = """getCameraDevice getXYStageDevice getFocusDevice getImageHeight getImageWidth getBytesPerPixel
getNumberOfComponents getNumberOfCameraChannels getImageBitDepth getPixelSizeUm getExposure getXPosition getYPosition
getPosition getCircularBufferMemoryFootprint initializeCircularBuffer getBufferTotalCapacity getBufferFreeCapacity
isBufferOverflowed getRemainingImageCount getShutterDevice getChannelGroup getAvailableConfigGroups"""
METHODS |= {name: [[]] for name in PLAIN.split()}


class Server:
    """The objects and the core, which answer on one port or several."""

    def __init__(self, core: Any, folder: Path) -> None:
        self.core, self.folder = core, folder
        self.held: dict[int, Any] = {}
        self.reads = 0
        self.state_cache = True
        self.numbers = itertools.count(1)

    def serve(self, port: int) -> None:
        socket: Any = zmq.Context.instance().socket(zmq.REP)
        socket.bind(f"tcp://127.0.0.1:{port}")
        (self.folder / "ready").touch()
        self.listen(socket)

    def listen(self, socket: Any) -> None:
        while True:
            message = json.loads(socket.recv_multipart()[0])
            try:
                reply, parts = self.answer(message)
            except Exception as error:  # as the server does: whatever it is, as the text of a Java stack
                reply = {"type": "exception", "value": f"java.lang.Exception: {error}\n\tat mmcorej.CMMCore.call(Java)"}
                parts = []
            socket.send_multipart([json.dumps(reply).encode("iso-8859-1"), *parts])
            (self.folder / "count").write_text(f"{len(self.held)} {self.reads} {int(self.state_cache)}")

    def answer(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
        while (self.folder / "hang").exists():
            time.sleep(0.01)
        command = message["command"]
        if command == "connect":
            return {"type": "none", "version": "5.1.0"}, []
        if command == "get-constructors":
            name = message["classpath"]
            return {"type": "none", "api": [{"name": name, "arguments": [], "return-type": name}]}, []
        if command == "constructor":
            reply = self.hold("mmcorej.CMMCore", self.core)
            reply["api"] = [
                {"name": name, "arguments": [JAVA[kind] for kind in kinds], "return-type": "java.lang.Object"}
                for name, overloads in METHODS.items()
                for kinds in overloads
            ]
            if message.get("new-port"):
                socket: Any = zmq.Context.instance().socket(zmq.REP)
                reply["port"] = int(socket.bind_to_random_port("tcp://127.0.0.1"))
                threading.Thread(target=self.listen, args=(socket,), daemon=True).start()
            return reply, []
        if command == "destructor":
            self.held.pop(message["hash-code"], None)
            return {"type": "none"}, []
        target = self.held[message["hash-code"]]
        if command == "get-field":
            self.reads += 1
            return self.told(target[message["name"]])
        if target is self.core:
            return self.told(self.call(message["name"], message["arguments"]))
        return self.told(len(target) if message["name"] == "size" else target[message["arguments"][0]])

    def call(self, name: str, arguments: list[Any]) -> Any:
        if name == "setIncludeSystemStateCache":
            self.state_cache = bool(arguments[0])
            return None
        if name == "popNextTaggedImage":
            return flat(self.core.pop_next_tagged_image())
        if name == "getLastTaggedImage":
            metadata = pymmcore.Metadata()
            pixels = self.core.get_last_image_md(metadata)
            tags = {key: metadata.GetSingleTag(key).GetValue() for key in metadata.GetKeys()}
            return flat(tagged_image()(tags, pixels))
        return getattr(self.core, name)(*arguments)

    def told(self, value: Any) -> tuple[dict[str, Any], list[bytes]]:
        if isinstance(value, np.ndarray):
            number = next(self.numbers)
            kind = {1: "byte-array", 2: "short-array", 4: "float-array"}[value.itemsize]
            return {"type": kind, "value": f"@{number:x}"}, [number.to_bytes(4, sys.byteorder), value.tobytes()]
        if isinstance(value, Tags):
            return {"type": "object", "class": "JSONObject", "value": json.dumps(value)}, []
        if isinstance(value, dict):
            return self.hold("mmcorej.TaggedImage", value, fields=list(value)), []
        if isinstance(value, (tuple, list)):
            methods = [("size", []), ("get", ["int"])]
            return self.hold("mmcorej.StrVector", value, methods), []
        if value is None:
            return {"type": "null"}, []
        if isinstance(value, float) and value == int(value):
            value = int(value)
        return {"type": "string" if isinstance(value, str) else "primitive", "value": value}, []

    def hold(self, kind: str, value: Any, methods: Any = (), fields: Any = ()) -> dict[str, Any]:
        number = next(self.numbers)
        self.held[number] = value
        api = [{"name": name, "arguments": arguments, "return-type": "int"} for name, arguments in methods]
        shape = {"class": kind, "interfaces": [kind], "fields": fields, "api": api}
        return {"type": "unserialized-object", "hash-code": number, **shape}


class Tags(dict[str, Any]):
    """The tags of an image: JSON, not an object of the server."""


def flat(image: Any) -> dict[str, Any]:
    """An image as the Java core has it: pixels in a row, colours four to a pixel, sizes as integers."""
    tags = Tags({key: int(value) if key in ("Width", "Height") else value for key, value in image.tags.items()})
    tags.update({f"Device{number}-Property": "value" for number in range(130)})
    pixels = image.pix
    if tags["PixelType"].startswith("RGB"):
        pixels = np.ascontiguousarray(pixels).view(np.uint8 if pixels.itemsize == 4 else np.uint16)
    elif pixels.itemsize == 4:
        pixels = pixels.view(np.float32)
    return {"pix": pixels.ravel(), "tags": tags}


def free_port() -> int:
    socket: Any = zmq.Context.instance().socket(zmq.REP)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    socket.close(linger=0)
    return int(port)


if __name__ == "__main__":
    with micromanager.demo(size=128, buffer_mb=4) as scope:
        Server(scope.core, Path(sys.argv[2])).serve(int(sys.argv[1]))
