"""The server's process: it ends when the acquisition process does."""

from __future__ import annotations

import contextlib
import os

from onscope.runtime.worker import parent_link

NICER = 5
"""The acquisition and its worker come first."""


def main() -> None:
    link = parent_link()
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(NICER)
    try:
        from ._serve import serve
    except ModuleNotFoundError as error:
        words = f"found no {error.name}, which the view's server needs: install `onscope[view]`"
        link.send({"kind": "failed", "message": words})
        return
    serve(link)


if __name__ == "__main__":
    main()
