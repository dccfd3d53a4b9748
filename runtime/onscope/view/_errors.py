"""What goes wrong with the live view, never with the run."""

from __future__ import annotations

from onscope.runtime import OnscopeError


class ViewError(OnscopeError):
    """The view's server cannot be started: a port that is taken, an extra that is missing."""
