"""What is wanted, as the fields of a message."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from .._values import Wanted


def told(wanted: Wanted) -> dict[str, Any]:
    """A Wanted as plain values for JSON."""
    values = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return values | {"index": dict(wanted.index), "size": list(wanted.size), "vectors": list(wanted.vectors)}
