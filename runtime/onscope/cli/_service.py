"""What `run` and `serve` have in common as services: log lines, metrics, systemd, and an end in order.

with serving(log_format, metrics, metrics_host) as service:
    ...                                # set up; events go to service.tell
    service.watch(Metrics(runtime), run=lambda: ...)
    service.ready("...")
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onscope.runtime import Event, OnscopeError

from ._stopping import INTERRUPTED, StopSignals, heeding_signals

if TYPE_CHECKING:
    from onscope.runtime.service import Metrics

METRICS_TOKEN = "ONSCOPE_METRICS_TOKEN"
"""The variable that may hold what Prometheus must know; never an option, which others on the machine could read."""


class LogFormat(StrEnum):
    """How log lines look."""

    text = "text"
    json = "json"


LogFormatOption = Annotated[
    LogFormat, typer.Option("--log-format", help="Log lines on stderr: text for people, json for machines.")
]
MetricsOption = Annotated[
    int | None,
    typer.Option("--metrics", metavar="PORT", min=0, max=65535, help="Give metrics for Prometheus at this port."),
]
MetricsHostOption = Annotated[
    str, typer.Option("--metrics-host", help=f"Address of the metrics; beyond this machine {METRICS_TOKEN} is needed.")
]


class Service:
    """One command as a service. `stop` tells how it was asked to end; `systemd` is what started it, if it did."""

    def __init__(self, stack: ExitStack, stop: StopSignals, json: bool, port: int | None, host: str) -> None:
        from onscope.runtime.service import Systemd

        self.stop = stop
        self.json = json
        self.alive: Callable[[], bool] = lambda: True
        """Asked before each sign of life that systemd wants."""
        self.systemd = Systemd(lambda: self.alive())
        stack.callback(self.systemd.close)
        self._stack = stack
        self._port, self._host = port, host
        self._run: Callable[[], str] = str

    def run_id(self) -> str:
        """Which run goes on; "" for none."""
        return self._run()

    def tell(self, event: Event) -> None:
        """An event, from any thread: a line of the log where that is JSON."""
        if self.json:
            from onscope.runtime.service import tell_log

            tell_log(event)

    def note(self, event: str, message: str, **more: Any) -> None:
        """A line of the service's own, where the log is JSON."""
        if self.json:
            from onscope.runtime.service import note

            note(event, message, **more)

    def watch(self, metrics: Callable[[], Metrics], run: Callable[[], str] = str) -> str:
        """Give what `metrics()` collects, where it was asked for, until the end; returns the page's address, or ""."""
        self._run = run
        if self._port is None:
            return ""
        from onscope.runtime.service import MetricsPage

        made = metrics()
        self._stack.callback(made.close)
        page = self._stack.enter_context(
            MetricsPage(made, self._port, self._host, os.environ.get(METRICS_TOKEN) or None)
        )
        self.note("metrics", f"metrics at {page.url}")
        return page.url

    def ready(self, words: str) -> None:
        """It can be used now."""
        self.systemd.ready(words)

    def ending(self) -> None:
        """It ends in order from here on; a signal interrupts nothing any more, a second one ends it at once."""
        self.stop.ending()
        self.systemd.stopping()


@contextmanager
def serving(
    log_format: LogFormat = LogFormat.text, metrics: int | None = None, metrics_host: str = "127.0.0.1"
) -> Iterator[Service]:
    """Signals heeded, logs where they belong, while the block lasts.

    Where the log is JSON, what ends the block is a line of it too: errors end with exit code 1, Ctrl-C and SIGTERM
    with 130 and 143.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(heeding_signals())
        json = log_format is LogFormat.json
        service = Service(stack, stop, json, metrics, metrics_host)
        if json:
            from onscope.runtime.service import logging_to

            stack.enter_context(logging_to("json", run=service.run_id))
        try:
            yield service
        except KeyboardInterrupt:
            if not json and not stop.asked:
                raise
            _last_words(service, f"stopped by {stop.words}")
            raise typer.Exit(stop.code) from None
        except OnscopeError as error:
            if not json or _debugging():
                raise
            service.note("error", str(error), level=logging.ERROR)
            raise typer.Exit(1) from error
        except (typer.Exit, SystemExit):
            raise
        except Exception:
            if not json or _debugging():
                raise
            logging.getLogger("onscope").critical("onscope failed", exc_info=True, extra={"event": "error"})
            raise typer.Exit(1) from None


def _last_words(service: Service, words: str) -> None:
    from ._app import complain

    if service.json:
        service.note("stopped", words, level=logging.WARNING)
    else:
        complain(words)


def _debugging() -> bool:
    import click

    context = click.get_current_context(silent=True)
    return bool(context is not None and context.find_root().params.get("debug"))


__all__ = ["INTERRUPTED", "LogFormatOption", "MetricsHostOption", "MetricsOption", "Service", "serving"]
