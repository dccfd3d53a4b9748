"""A layout and a status as a server tells them."""

from __future__ import annotations

from typing import Any

from onscope.view._values import ImageLayout, TableLayout

SHAPE = (48, 64)
IMAGES = (
    ImageLayout("raw", "uint16", SHAPE),
    ImageLayout("denoise", "float32", (96, 128), 2.0),
    ImageLayout("nuclei", "int32", SHAPE, 1.0, True),
)
TABLES = (
    TableLayout("cells", {"label": "<i4", "y": "<f8", "x": "<f8", "area": "<f8"}, ("spots", "outlines"), "nuclei"),
    TableLayout("tracks", {"track": "<i8", "parent": "<i8", "y": "<f8", "x": "<f8"}, ("tails", "spots")),
)
ACTIONS = ("arm", "shadow", "pause", "resume", "snapshot")
STATUS = {
    "type": "status", "at": 0.0, "frames_per_s": 30.1, "results_per_s": 30.0, "shown_per_s": 25.0,
    "steps_ms": {"whole way": {"p50": 12.0, "p95": 15.0}},
    "feedback": {"armed": False, "held": "", "paused": False, "counts": {"refused": 3}, "last": []}, "paused": False,
}  # fmt: skip


def layout(**changed: Any) -> dict[str, Any]:
    """A layout as a server tells it."""
    images = [
        {"name": i.name, "dtype": i.dtype, "shape": list(i.shape), "scale": i.scale, "labels": i.labels} for i in IMAGES
    ]
    tables = [{"name": t.name, "columns": dict(t.columns), "kinds": list(t.kinds), "labels": t.labels} for t in TABLES]
    told = {"run": "abc", "shape": list(SHAPE), "dtype": "uint16", "pixel_size_um": 0.5, "images": images}
    told |= {"tables": tables, "cameras": ["cam"], "axes": {}, "settings": [], "actions": list(ACTIONS)}
    return told | {"packages": {}, "live": True} | changed
