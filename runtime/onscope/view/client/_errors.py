"""What can go wrong with a view from outside."""

from __future__ import annotations

from onscope.runtime import OnscopeError


class ViewError(OnscopeError):
    """A running onscope cannot be looked at, or refuses what it was asked for."""
