"""What can go wrong with a bundle."""

from __future__ import annotations

from onscope.runtime import OnscopeError


class BundleError(OnscopeError):
    """A bundle cannot be made as it was asked for."""
