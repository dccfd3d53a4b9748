"""What can go wrong with what watches a run: no port, a library that is missing."""

from __future__ import annotations

from .._errors import OnscopeError


class ServiceError(OnscopeError):
    """Logs or metrics cannot be given as they were asked for."""
