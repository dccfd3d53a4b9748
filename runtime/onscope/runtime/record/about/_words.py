"""What commands and reports say alike of a recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def size_words(nbytes: float) -> str:
    """Bytes as a person says them."""
    for unit, each in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= each:
            return f"{nbytes / each:.1f} {unit}"
    return f"{nbytes:.0f} B"


def camera_words(source: Mapping[str, object]) -> Iterator[str]:
    """The cameras among a source's devices, and whether a sensor was simulated behind them."""
    devices = source.get("devices")
    for each in devices if isinstance(devices, list) else []:
        if isinstance(each, dict) and each.get("camera"):
            parts = filter(None, (each.get("device"), each.get("adapter")))
            yield f"camera {each['camera']} ({', '.join(map(str, parts))})"
    if "simulated_sensor" in source:
        yield "behind a simulated sensor"
