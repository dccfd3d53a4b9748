"""Who made a package, and what to cite for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

AUTHOR = ("name", "affiliation", "orcid", "github_user")
CITED = ("text", "doi", "url")


def named(entries: Iterable[Any] | None, keys: tuple[str, ...]) -> tuple[Mapping[str, str], ...]:
    """The values of people or papers of a checked description, as plain texts; what is not stated is left out."""
    return tuple(
        {key: str(value) for key in keys if (value := getattr(entry, key, None)) is not None} for entry in entries or ()
    )
