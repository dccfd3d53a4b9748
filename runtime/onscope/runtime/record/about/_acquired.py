"""How the frames of a recording came about, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ._about import About
from ._references import one_line

FORMATS = {"ome-zarr": "OME-Zarr 0.5", "ome-tiff": "OME-TIFF", "ndtiff": "NDTiff"}
FILL = "[fill in: microscope, objective, filters, light source, sample]"


def acquisition_words(about: About) -> list[str]:
    """Where the frames are from, what they look like, how many, and where the raw ones are."""
    words = [_origin(about), _look(about)]
    calibrated = [each for each in about.facts.pipeline.calibration.values() if each.sha256]
    if calibrated:
        sums = ", ".join(one_line(each.sha256 or "")[:16] for each in calibrated)
        words.append(f"Frames were corrected with the camera's calibration (sha256 {sums}) before processing.")
    words.append(_stored(about))
    return [each for each in words if each]


def _origin(about: About) -> str:
    try:
        day = f" on {datetime.fromisoformat(about.facts.began):%d %B %Y}".replace(" 0", " ")
    except ValueError:
        day = ""
    sources = [_source(source, day) for source in about.facts.sources]
    return " ".join(dict.fromkeys(sources)) or f"Images were acquired{day} {FILL}."


def _source(source: Mapping[str, Any], day: str) -> str:
    kind = source.get("driver")
    if kind == "specimen":
        scenario, channel, seed = (one_line(str(source.get(name, "?"))) for name in ("scenario", "channel", "seed"))
        return (
            f"Images were simulated{day} with the specimen of onscope (scenario {scenario}, channel {channel}, seed "
            f"{seed}), mounted in a Micro-Manager core."
        )
    if kind == "replay":
        return f"Stored images were replayed{day} ({one_line(str(source.get('of', '[fill in]')))})."
    if kind == "scripted":
        return f"Images were generated{day} by a scripted camera (a test source)."
    if kind == "micromanager":
        core = one_line(str(source.get("core") or "")).removeprefix("MMCore version ")
        by = f"Micro-Manager (MMCore {core})" if core else "Micro-Manager"
        noise = " behind a simulated sensor" if "simulated_sensor" in source else ""
        return f"Images were acquired{day} with {by}, {_devices(source)}{noise} {FILL}."
    if kind == "hook":
        cameras = source.get("cameras")
        names = " and ".join(one_line(str(each)) for each in cameras) if isinstance(cameras, list) else "[fill in]"
        return f"Images were acquired{day} with Micro-Manager, camera {names} {FILL}."
    return f"Images were acquired{day} from {one_line(str(kind))} {FILL}."


def _devices(source: Mapping[str, Any]) -> str:
    devices = source.get("devices")
    found = []
    for each in devices if isinstance(devices, list) else []:
        if isinstance(each, dict):
            name = one_line(str(each.get("camera", "")))
            device = " of the adapter ".join(one_line(str(each[key])) for key in ("device", "adapter") if each.get(key))
            found.append(f"camera {name}" + (f" ({device})" if device else ""))
    return " and ".join(found) or "[fill in: camera]"


def _look(about: About) -> str:
    raw = [image for image in about.images if image.role == "raw"]
    looks = [(image.shape, image.dtype, image.pixel_size_um) for image in raw] or [
        (lane.shape, lane.dtype, lane.pixel_size_um) for lane in about.facts.lanes
    ]
    if not looks:
        return ""
    sizes = "; ".join(dict.fromkeys(f"{' x '.join(map(str, shape))} pixels, {dtype}" for shape, dtype, _ in looks))
    pixel = several([size for _, _, size in looks if size], "um") or "[fill in]"
    exposure = several(about.exposures_ms, "ms") or "[fill in]"
    duration = "" if about.seconds is None else f" within {duration_words(about.seconds)}"
    frames = f"{about.frames:,} frames" if about.frames else "Frames"
    return (
        f"{frames} ({sizes}) were taken{duration} at an exposure of {exposure}; the size of a pixel in the sample "
        f"was {pixel}."
    )


def _stored(about: About) -> str:
    if about.links:
        kinds = ", ".join(dict.fromkeys(f"{one_line(link['by'])} ({one_line(link['kind'])})" for link in about.links))
        return f"Raw frames were saved by {kinds}."
    if not about.frames:
        return ""
    formats = [image.format for image in about.images if image.role == "raw"]
    known = " and ".join(dict.fromkeys(FORMATS[each] for each in formats if each in FORMATS))
    return f"Raw frames were saved unaltered{f' as {known}' if known else ''}, independently of all processing."


def several(values: Sequence[float], unit: str) -> str:
    """ "5 ms", "5 and 10 ms"; "" for none."""
    words = [f"{value:.4g}" for value in dict.fromkeys(values)]
    return f"{' and '.join(words)} {unit}" if words else ""


def duration_words(seconds: float) -> str:
    """Seconds below two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
