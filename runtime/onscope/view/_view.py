"""View: what a user holds of the live view."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from onscope.runtime import Event

from ._errors import ViewError
from ._values import Setting
from .feed import Do, Extras, Feed, Server

if TYPE_CHECKING:
    from onscope.runtime import FrameSpec, Runtime
    from onscope.runtime.feedback.loop import Feedback

__all__ = ["Do", "View"]
TOKEN_BYTES = 32
TOKEN = re.compile(r"[A-Za-z0-9._~-]{0,200}")
"""What stands in an address as it is."""
ALL = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
"""Hosts that stand for all addresses of a machine, and the one by which it reaches itself."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


class View:
    """The live view of a runtime while the block lasts: `with View(runtime) as view: print(view.url)`.

    `host` and `port` to listen on (0: a free one). `token`: what a viewer must know (None: a new one of 256 bits where
    `host` is not this machine alone, otherwise none). `feedback`: its numbers are shown too. `actions`: what viewers
    may ask for, by name; each is called in a thread of the view with the fields of the viewer's message, and gives
    those of the answer: `words`, and what else there is; bytes under "png" go to the viewer as they are. What it raises
    is told to the viewer. `status` gives further parts of the status, such as "recording"; it is called four times a
    second, and must return at once. Of the layout: `spec` of the frames where it is known already, names of the
    positions of `axes`, `settings` that may be tuned, `queue_depth` of the admission, `live` False and the number of
    `frames` for a recording, names of the packages for `swaps` by stage.

    Nothing that happens to the server reaches the run. One that dies or hangs is started again at the same port, three
    times at most within ten minutes; `on_event` of the runtime is told. Raises ViewError when it cannot be started.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        feedback: Feedback | None = None,
        actions: Mapping[str, Do] = NOTHING,
        status: Callable[[], Mapping[str, Any]] = dict,
        spec: FrameSpec | None = None,
        axes: Mapping[str, Sequence[str]] = NOTHING,
        settings: Sequence[Setting] = (),
        queue_depth: int | None = None,
        live: bool = True,
        frames: int = 0,
        swaps: Mapping[str, Sequence[str]] = NOTHING,
    ) -> None:
        self.host, self.token = host, token
        if self.token is None:
            self.token = "" if is_loopback(host) else secrets.token_urlsafe(TOKEN_BYTES)
        if not TOKEN.fullmatch(self.token):
            raise ViewError("found a token that no address can hold, expected at most 200 letters, digits and ._~-")
        if not self.token and not is_loopback(host):
            raise ViewError(f"found no token for a view on {host}, expected one: others can reach it there")
        if not 0 <= port < 1 << 16:
            raise ViewError(f"found the port {port}, expected 0 (a free one) to 65535")
        self.port = port
        self._runtime, self._actions = runtime, dict(actions)
        self._extras = Extras(
            spec, dict(axes), tuple(settings), queue_depth, live, feedback, status, frames, dict(swaps)
        )
        self._feed: Feed | None = None
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where a browser finds the view; the token stands behind the #, which browsers do not send."""
        return self._at(ALL.get(self.host, self.host))

    @property
    def url_elsewhere(self) -> str:
        """Where browsers of other machines find it, by this machine's name; empty where `url` says it, or none can."""
        return self._at(socket.gethostname()) if self.host in ALL else ""

    def _at(self, host: str) -> str:
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self.port}/" + (f"#token={self.token}" if self.token else "")

    @property
    def pid(self) -> int:
        """Process id of the server; 0 outside the block."""
        return 0 if self._server is None else self._server.pid

    def tell(self, event: Event) -> None:
        """Have viewers told of an event; returns at once."""
        if self._feed is not None:
            self._feed.tell(event)

    def set_settings(self, settings: Sequence[Setting]) -> None:
        """Have viewers told what may be tuned now, and its values; returns at once."""
        if self._feed is not None:
            self._feed.set_settings(settings)

    def __enter__(self) -> Self:
        server = Server(self.host, self.port, self.token or "")
        server.start()
        self.port, self._server = server.port, server
        self._feed = Feed(self._runtime, server, self._actions, self._extras)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._feed is not None:
            self._feed.close()
        self._feed = self._server = None


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
