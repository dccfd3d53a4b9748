"""Why an answer cannot be computed again, which is no fault of the data."""

from __future__ import annotations


class CannotBeComputed(Exception):
    """The reason, in words that go on from "not computed again: "."""
