"""Read a model description's YAML as untrusted input: bounded in bytes, depth and what its aliases unfold to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._errors import PackageError
from ._files import read_bounded, short

MAX_RDF_BYTES = 256 * 1024
"""Largest model description that is read, in bytes; published ones have 5 to 40 kB."""
MAX_RDF_DEPTH = 40
"""Deepest nesting of a model description that is read."""
MAX_RDF_NODES = 50_000
"""Most values that a description may hold once its aliases are written out."""


def read_rdf(path: Path) -> tuple[dict[str, Any], str]:
    """Content of a model description (YAML 1.2) and the sha256 of its bytes.

    Raises PackageError when the file is too large, too deep, unfolds too far, is not YAML or has no named fields.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    data = read_bounded(path, MAX_RDF_BYTES, "model description")
    try:
        _measure(YAML(typ="safe", pure=True).parse(data), path.name)
        content = YAML(typ="safe", pure=True).load(data)
    except (YAMLError, ValueError, TypeError, OverflowError, RecursionError, LookupError, AttributeError) as error:
        # ruamel.yaml raises the plain ones on malformed scalars: huge integers, impossible dates, stray bytes.
        raise PackageError(f"found {path.name} that is not YAML ({short(error)}): check the file") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise PackageError(f"found {path.name} without named fields, expected a BioImage.IO model description")
    return content, hashlib.sha256(data).hexdigest()


def _measure(events: Iterable[Any], name: str) -> None:
    """Refuse what would not end or not fit: counts the values as they would stand with every alias written out."""
    from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

    done: dict[str, int] = {}  # values below each finished anchor
    open_: list[tuple[str | None, int]] = []  # anchor of each open collection, values so far in it
    for event in events:
        if isinstance(event, CollectionStartEvent):
            open_.append((event.anchor, 1))
            if len(open_) > MAX_RDF_DEPTH:
                raise PackageError(
                    f"found {name} nested deeper than {MAX_RDF_DEPTH} levels, expected a model description"
                )
            continue
        if isinstance(event, ScalarEvent):
            anchor, values = event.anchor, 1
        elif isinstance(event, CollectionEndEvent):
            anchor, values = open_.pop()
        elif isinstance(event, AliasEvent):
            anchor, values = None, done.get(event.anchor, 0)
            if not values:
                raise PackageError(f"found an alias in {name} that holds itself or nothing, expected plain values")
        else:
            continue
        if anchor is not None:
            done[anchor] = values
        if open_:
            outer, before = open_[-1]
            open_[-1] = (outer, before + values)
        if values > MAX_RDF_NODES or (open_ and open_[-1][1] > MAX_RDF_NODES):
            raise PackageError(
                f"found {name} unfolding to more than {MAX_RDF_NODES} values, expected a model description"
            )
