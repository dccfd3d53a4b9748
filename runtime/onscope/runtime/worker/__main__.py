"""The worker process."""

from __future__ import annotations

import os
import sys
import traceback

from ._parent import parent_link
from ._serve import serve


def _die(error: BaseException) -> None:
    traceback.print_exception(error)
    sys.stderr.flush()
    os._exit(1)


def main() -> None:
    serve(parent_link(), _die)


if __name__ == "__main__":
    main()
