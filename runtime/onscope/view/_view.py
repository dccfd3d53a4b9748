"""View: what a user holds of the live view."""

from __future__ import annotations

import ipaddress
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from onscope.runtime import Event, WorkerError
from onscope.runtime.worker import ProcessLink

from ._errors import ViewError
from ._values import Setting
from .feed import Do, Extras, Feed

if TYPE_CHECKING:
    from onscope.runtime import FrameSpec, Runtime
    from onscope.runtime.feedback.loop import Feedback

__all__ = ["Do", "View"]
MODULE = "onscope.view.server"
START_S = 60.0
"""How long the server may take to be there, on a machine that is busy with other things."""
TOKEN_BYTES = 32
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

    Nothing that happens to the server reaches the run; when it ends, `on_event` of the runtime is told. Raises
    ViewError when it cannot be started.
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
        self._link: ProcessLink | None = None

    @property
    def url(self) -> str:
        """Where a browser finds the view; the token stands behind the #, which browsers do not send."""
        shown = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        shown = f"[{shown}]" if ":" in shown else shown
        return f"http://{shown}:{self.port}/" + (f"#token={self.token}" if self.token else "")

    @property
    def pid(self) -> int:
        """Process id of the server; 0 outside the block."""
        return 0 if self._link is None else self._link.pid

    def tell(self, event: Event) -> None:
        """Have viewers told of an event; returns at once."""
        if self._feed is not None:
            self._feed.tell(event)

    def set_settings(self, settings: Sequence[Setting]) -> None:
        """Have viewers told what may be tuned now, and its values; returns at once."""
        if self._feed is not None:
            self._feed.set_settings(settings)

    def __enter__(self) -> Self:
        try:
            self._link = ProcessLink(MODULE)
        except WorkerError as error:
            raise ViewError(str(error)) from error
        try:
            self.port = self._started(self._link)
        except BaseException:
            self._link.kill()
            self._link.close()
            self._link = None
            raise
        self._feed = Feed(self._runtime, self._link, self._actions, self._extras)
        return self

    def _started(self, link: ProcessLink) -> int:
        """Wait until the server listens; the port."""
        hung = threading.Timer(START_S, link.kill)
        hung.daemon = True
        hung.start()
        try:
            link.send({"kind": "open", "host": self.host, "port": self.port, "token": self.token})
            message = link.receive()
        except (OSError, ValueError):
            message = None
        finally:
            hung.cancel()
        if message is None:
            raise ViewError(f"the view's server did not start ({link.epitaph()}): is `onscope[view]` installed?")
        if message["kind"] != "listening":
            raise ViewError(str(message["message"]))
        return int(message["port"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._feed is not None:
            self._feed.close()
        self._feed = self._link = None


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
