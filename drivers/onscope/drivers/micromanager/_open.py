"""A core of our own, started with a hardware configuration."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ._config import check_config
from ._core import installed_adapter_paths, start_core, stop_core
from ._scope import Scope

BUFFER_MB = 256


def open_scope(
    cfg: str | os.PathLike[str], adapter_paths: Sequence[str] | None = None, *, buffer_mb: int = BUFFER_MB
) -> Scope:
    """Start a Micro-Manager core in this process with a hardware configuration; a context manager that ends it.

    `cfg` is the path of a .cfg file; `adapter_paths` are folders with device adapters, such as Micro-Manager's own
    (None: the installed Micro-Managers in their usual places or in $MICROMANAGER_PATH, as pymmcore-plus finds them,
    then the demo devices of the wheel mm-test-adapters); `buffer_mb` is the core's image buffer in megabytes.
    Raises SourceError, naming file and line, when the file is missing or wrong, or when a device cannot be loaded.
    """
    path = Path(cfg).expanduser().absolute()
    check_config(path)
    core = start_core(path, adapter_paths or installed_adapter_paths(), buffer_mb)
    try:
        return Scope(core, stop=stop_core)
    except BaseException:
        stop_core()
        raise
