"""Starts the web server beside the messages of the acquisition process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading

import cv2
import numpy as np
import uvicorn

from onscope.runtime.worker import Link, Message

from .._wire import MOST_TEXT
from ._app import app
from ._connections import LiveConnection, PageConnection
from ._guard import Door
from ._histogram import histogram
from ._hub import Hub
from ._pictures import picture
from ._quiet import Few
from ._viewer import MOST_VIEWERS

BACKLOG = 128
MOST_CONNECTIONS = 4 * MOST_VIEWERS
"""Of browsers that still load the page, too; more are answered with 503."""
PING_S = 20.0
CLOSING_S = 1
NICEST = 19
"""Lowest priority. Where ten viewers look and all cores are busy, it leaves the networks 0.95 to 1.02 of their frames,
where 5 or 10 left 0.87; the viewers get as many pictures. Beside four other busy programs they get two per second."""


def serve(link: Link) -> None:
    """Listen where the first message says, until the acquisition process closes the link."""
    opening = link.receive()
    if opening is None:
        return
    try:
        listener = listening(opening["host"], opening["port"])
    except OSError as error:
        where = f"{opening['host']} port {opening['port']}"
        words = f"cannot listen on {where} ({error.strerror or error}): choose another port, or 0 for a free one"
        link.send({"kind": "failed", "message": words})
        return
    cv2.setNumThreads(1)
    log_few()
    warm_up()
    loop = asyncio.new_event_loop()
    hub = Hub(link, opening["token"])
    config = uvicorn.Config(
        app(hub, Door(opening["host"])),
        ws=LiveConnection,
        ws_max_size=2 * MOST_TEXT,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,  # pictures are noise, and this is one machine or its neighbour
        http=PageConnection,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=CLOSING_S,
    )
    server = uvicorn.Server(config)
    # In a thread: there it leaves signals alone, and this one can wait for messages.
    thread = threading.Thread(target=_run, args=(loop, server, listener, hub), name="onscope-view-server")
    link.send({"kind": "listening", "port": listener.getsockname()[1]})
    give_way()
    thread.start()
    message: Message | None = {}
    while message is not None and thread.is_alive():
        message = link.receive()
        if message:
            loop.call_soon_threadsafe(hub.heard, message)
    server.should_exit = True
    thread.join()


def give_way() -> None:
    """From now on this thread, and all that are begun from it, run where the acquisition leaves room; not before: at
    this priority a busy machine takes a minute to import all this."""
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICEST)


def log_few() -> None:
    """Log warnings on standard error, and not more than can be read."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Few())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def warm_up() -> None:
    """Make one picture, so that the first real one finds everything loaded."""
    image = np.zeros((64, 64), np.uint16)
    picture(image, (64, 64), None, (32, 32), 8, (None, None), histogram(image), labels=False)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setblocking(False)
    return listener


def _run(loop: asyncio.AbstractEventLoop, server: uvicorn.Server, listener: socket.socket, hub: Hub) -> None:
    asyncio.set_event_loop(loop)
    beating = loop.create_task(hub.beat())
    try:
        loop.run_until_complete(server.serve(sockets=[listener]))
    finally:
        beating.cancel()
        hub.close()
        loop.close()
