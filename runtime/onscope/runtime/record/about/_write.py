"""`methods.md`, written when a recording has ended."""

from __future__ import annotations

import logging
from pathlib import Path

from ..._errors import RecordError
from .._files import write_text
from ._about import about
from ._methods import methods

NAME = "methods.md"
log = logging.getLogger("onscope")


def write_methods(folder: Path) -> None:
    """Write the text of a recording whose manifest is complete. Raises RecordError when the disk refuses it."""
    try:
        write_text(folder / NAME, methods(about(folder, whole=False)))
    except OSError as error:
        raise RecordError(
            f"{NAME} could not be written to {folder} ({error.strerror}): make room on its disk"
        ) from error
    except RecordError as error:  # tables that could not be closed, which is told already
        log.debug("%s was not written: %s", NAME, error)
    except Exception:
        # Broad on purpose: a text that can be made again at any time is no reason to leave a recording half closed.
        log.warning("%s was not written: `onscope info --methods` makes it", NAME, exc_info=True)
