"""`onscope serve`: this machine as the box that runs the networks of others."""

from __future__ import annotations

import platform
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import ColourOption, Dtype, DtypeOption, PixelSizeOption, ProviderOption
from ._service import LogFormat, LogFormatOption, MetricsHostOption, MetricsOption, serving

if TYPE_CHECKING:
    from onscope.runtime.remote import Secret

PORT = 7431
ALL = ("0.0.0.0", "::", "*")


def serve(
    pipeline: Annotated[
        Path | None, typer.Argument(help="YAML of a pipeline whose packages are prepared ahead.", show_default="none")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0: a free one.")] = PORT,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help="File of the key, made if it is not there.", show_default="in the cache"),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=64, help="Workers that may run at once.")] = 8,
    store: Annotated[
        Path | None,
        typer.Option("--store", help="Folder of the packages that PCs send.", show_default="in the cache"),
    ] = None,
    size: Annotated[
        str, typer.Option("--size", help="Height x width of the frames that PIPELINE is prepared for.")
    ] = "512x512",
    dtype: DtypeOption = Dtype.uint16,
    colour: ColourOption = False,
    pixel_size_um: PixelSizeOption = None,
    provider: ProviderOption = "auto",
    log_format: LogFormatOption = LogFormat.text,
    metrics: MetricsOption = None,
    metrics_host: MetricsHostOption = "127.0.0.1",
) -> None:
    """Run the networks of other machines: of runs with --worker 'tcp://THIS:PORT#KEY'.

    On this machine alone no key is needed; beyond it what is sent is encrypted, and only who knows the key is let in.
    Ctrl-C or SIGTERM ends it in order: what has come is answered, and each PC is told.

    Exit code 0, or 1 and one sentence when it cannot listen.
    """
    from rich.console import Console

    from onscope.runtime import PipelineError
    from onscope.runtime._cache_place import cache_folder

    try:
        from onscope.runtime.remote import Secret, Server
        from onscope.runtime.remote.wire import is_local
    except ImportError as error:
        raise PipelineError(f"found no pyzmq ({error}), expected it to serve: pip install 'onscope[remote]'") from error

    from onscope.runtime.service import BoxMetrics, hide_secrets

    console = Console(soft_wrap=True, highlight=False, markup=False)
    with serving(log_format, metrics, metrics_host) as service:
        secret: Secret | None = None
        if token_file is not None or not is_local(host):
            secret = Secret.of(token_file or cache_folder("box-key") / "key")
        listens = "0.0.0.0" if host == "*" else host

        def tell(words: str) -> None:
            console.print(words)
            service.note("box", words)

        server = Server(listens, port, secret=secret, store=store, most=most, tell=tell)

        def stop(*_: object) -> None:
            server.stop()
            service.systemd.stopping()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        loop = threading.Thread(target=server.run, name="onscope-serve")
        loop.start()
        service.alive = loop.is_alive
        try:
            url = service.watch(lambda: BoxMetrics(lambda: len(server.workers), server.counters))
            if url:
                console.print(f"metrics: {url}")
            if pipeline is not None:
                # As a PC would, over loopback where that is listened on: the packages end in the store, the graphs in
                # the cache.
                near = "127.0.0.1" if host in ALL else host
                _prepare(pipeline, _address(near, server.port, secret), provider, size, dtype, colour, pixel_size_um)
            shown = _address(platform.node() if host in ALL else host, server.port, secret)
            words = f"serving on {hide_secrets(shown) if service.json else shown}"  # a journal has many readers
            tell(words)
            service.ready(hide_secrets(words))
        except BaseException:
            server.stop()
            raise
        finally:
            while loop.is_alive():  # a join without a limit would hold back the signals' handlers on Windows
                loop.join(0.5)


def _address(host: str, port: int, secret: Secret | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"tcp://{shown}:{port}{'' if secret is None else f'#{secret.key}'}"


def _prepare(
    pipeline: Path, address: str, provider: str, size: str, dtype: Dtype, colour: bool, pixel_size_um: float | None
) -> None:
    from onscope.runtime import Runtime

    from ._compile import frame_spec

    with Runtime(pipeline, worker=address, provider=provider) as runtime:
        runtime.prepare(frame_spec(size, dtype, colour, "camera", pixel_size_um))
