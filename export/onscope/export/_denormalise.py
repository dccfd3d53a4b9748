"""What a source says of the way back to the frame's own units (`config.onscope.denormalise`), where it still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onscope.runtime.package import Step

NOTHING: Mapping[str, Any] = {}


def way_back(
    settings: Mapping[str, Any], stated: Sequence[str], names: Sequence[str], pre: Sequence[Step], post: object
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The settings with their outputs under the `names` that were asked for, in the order of the `stated` ones.

    Without the way back, and with a note, where `pre` does not begin with scale_range or `post` was asked for (else
    None): it leads back from units of percentiles, and behind no other steps.
    """
    back: Mapping[str, str] = settings.get("denormalise", NOTHING)
    if not back:
        return settings, ()
    first = next((step for step in pre if step.id != "ensure_dtype"), None)
    if first is None or first.id != "scale_range" or post is not None:
        rest = {name: value for name, value in settings.items() if name != "denormalise"}
        return rest, ("values come in the network's own units: other steps than the source's were asked for",)
    renamed = dict(zip(stated, names or stated, strict=False))
    return {**settings, "denormalise": {renamed.get(name, name): kind for name, kind in back.items()}}, ()
