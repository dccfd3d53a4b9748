"""Frames, answers and numbers of a made-up run: nuclei that drift over a field."""

from __future__ import annotations

import functools
import math
import time
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.view._values import ImageLayout, Layout, Setting, TableLayout

SIDE = 512
N = 26
Pixels = npt.NDArray[Any]


def layout() -> dict[str, Any]:
    """Three images, tracked cells, two channels, everything allowed."""
    cells = {"label": "int32", "y": "float64", "x": "float64", "area": "float64", "track": "int64"}
    made = Layout(
        run="20261122-dividing-cells",
        shape=(SIDE, SIDE),
        dtype="uint16",
        pixel_size_um=0.325,
        images=(
            ImageLayout("raw", "uint16", (SIDE, SIDE)),
            ImageLayout("denoise", "float32", (SIDE, SIDE)),
            ImageLayout("nuclei", "int32", (SIDE, SIDE), labels=True),
        ),
        tables=(
            TableLayout("cells", cells, ("outlines", "spots"), "nuclei"),
            TableLayout("tracks", cells, ("tails",), "nuclei"),
        ),
        axes={"c": ["DAPI", "FITC"]},
        settings=(
            Setting("nuclei", "threshold", 0.5, 0.1, 1.0, "the probability from which on a pixel belongs to a nucleus"),
            Setting("rule follow", "step_um", 5.0, 0.0, 40.0, "the farthest that one move may go"),
        ),
        actions=("arm", "shadow", "pause", "resume", "stop", "snapshot", "tune", "swap"),
        packages={"denoise": "care-beads", "nuclei": "nuclei-cells"},
    )
    return {**made.as_json(), "swaps": {"denoise": ["care-beads-int8"], "nuclei": ["nuclei-cells-wide"]}}


@functools.cache
def _cells() -> list[tuple[float, ...]]:
    """Of each nucleus y, x, half axes, angle, drift in y and x, brightness."""
    rng = np.random.default_rng(4)
    return [
        (*rng.uniform(30, SIDE - 30, 2), *rng.uniform(13, 24, 2), rng.uniform(0, 180), *rng.normal(0, 0.12, 2), b)
        for b in rng.uniform(0.4, 1.0, N)
    ]


def _places(seq: int) -> list[tuple[float, float]]:
    wave = [(math.sin(seq / 60 + i) * 6, math.cos(seq / 50 + 2 * i) * 6) for i in range(N)]
    return [
        (c[0] + (c[5] * seq) % 40 + w[0], c[1] + (c[6] * seq) % 40 + w[1]) for c, w in zip(_cells(), wave, strict=True)
    ]


@functools.lru_cache(maxsize=4)
def frame(seq: int) -> tuple[Pixels, Pixels, Pixels]:
    """Raw counts, denoised counts, and labels (int32)."""
    clean, labels = np.full((SIDE, SIDE), 118.0, np.float32), np.zeros((SIDE, SIDE), np.int32)
    for i, ((y, x), cell) in enumerate(zip(_places(seq), _cells(), strict=True)):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        axes = (round(cell[2]), round(cell[3]))
        cv2.ellipse(mask, (round(x), round(y)), axes, cell[4], 0, 360, 255, -1)
        labels[mask > 0] = i + 1
        spread = cv2.GaussianBlur(mask, (0, 0), 4).astype(np.float32) / 255
        clean += spread * 900 * cell[7]
    texture = cv2.GaussianBlur(np.random.default_rng(9).normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 3)
    clean *= 1 + 1.2 * texture
    rng = np.random.default_rng(seq)
    raw = rng.poisson(np.clip(clean, 0, None) / 6) * 6 + rng.normal(0, 8, clean.shape)
    return np.clip(raw, 0, 65535).astype(np.uint16), clean, labels


def update(seq: int, views: list[dict[str, Any]]) -> tuple[dict[str, Any], list[Pixels]]:
    """The head and arrays of an update."""
    raw, clean, labels = frame(seq)
    images = {"raw": raw, "denoise": clean, "nuclei": labels}
    arrays: list[Pixels] = []

    def add(array: Pixels) -> int:
        arrays.append(array)
        return len(arrays) - 1

    shown, vectors, tables = [], [], set()
    for view in views:
        image = images[view["image"]]
        y0, x0, y1, x1 = (int(v) for v in view["rect"] or (0, 0, SIDE, SIDE))
        part = image[y0:y1, x0:x1]
        size = (min(view["size"][1], x1 - x0), min(view["size"][0], y1 - y0))
        way = cv2.INTER_NEAREST if view["bits"] == 16 else cv2.INTER_AREA
        part = cv2.resize(part.astype(np.float32), size, interpolation=way)
        low, high = (float(v) for v in np.percentile(image[::4, ::4], (1, 99.7)))
        low, high = view["low"] or low, view["high"] or high
        eight = np.clip((part - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
        counts, edges = np.histogram(image, 256, (0, 2000))
        shown.append(
            {
                "id": view["id"], "image": view["image"], "rect": [y0, x0, y1, x1], "low": low, "high": high,
                "array": add(part.astype(np.uint16) if view["bits"] == 16 else eight),
                "histogram": {"array": add(counts.astype(np.uint32)), "from": float(edges[0]), "to": float(edges[-1])},
                "wanted_rect": view["rect"],
            }
        )  # fmt: skip
        for name in view["vectors"]:
            kind, table = name.split(":")
            tables.add(table)
            vectors.append({"id": view["id"], "kind": kind, "table": table, **_vectors(kind, seq, labels, add)})
    index = {"t": seq, "c": 0}
    frame_ = {"run": "made", "camera": "", "segment": 0, "seq": seq, "index": index, "labels": {"c": "DAPI"}}
    columns = {name: {"array": add(column)} for name, column in _columns(seq, labels).items()}
    head = {
        "frame": {**frame_, "stage_um": None, "exposure_ms": 10.0, "received_unix_ns": 0, "state": "done"},
        "age_ms": 14.0 + 3 * math.sin(seq / 9), "views": shown, "vectors": vectors,
        "tables": [{"name": name, "columns": columns} for name in sorted(tables)],
        "trust": {"denoise": {"suspicion": 0.3}}, "suspect": {}, "latency_ms": 11.2,
    }  # fmt: skip
    return head, arrays


def _columns(seq: int, labels: Pixels) -> dict[str, Pixels]:
    places = np.array(_places(seq))
    number = np.arange(1, N + 1)
    area = np.bincount(labels.ravel(), minlength=N + 1)[1:].astype(np.float64)
    return {
        "label": number.astype(np.int32),
        "y": places[:, 0],
        "x": places[:, 1],
        "area": area,
        "track": (number + 100).astype(np.int64),
    }


def _vectors(kind: str, seq: int, labels: Pixels, add: Any) -> dict[str, Any]:
    if kind == "spots":
        return {"points": {"array": add(np.array(_places(seq), np.float32) + 0.5)}}
    if kind == "tails":
        trail = np.array([_places(max(seq - 2 * back, 0)) for back in range(19, -1, -1)], np.float32)
        rings = list(trail.transpose(1, 0, 2))
        rows = list(range(N))
    else:
        rings, rows = [], []
        for i in range(N):
            found, _ = cv2.findContours((labels == i + 1).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            if found:
                rings.append(max(found, key=len)[:, 0, ::-1].astype(np.float32))
                rows.append(i)
    starts = np.cumsum([0, *map(len, rings)]).astype(np.int32)
    points = np.concatenate(rings) + 0.5
    return {
        "starts": {"array": add(starts)},
        "points": {"array": add(points)},
        "rows": {"array": add(np.array(rows, np.int32))},
    }


def status(seq: int, armed: bool, paused: bool) -> dict[str, Any]:
    """As four times a second."""
    wave = math.sin(seq / 30)
    steps = {
        "queue": 0.4,
        "denoise": 4.1 + wave,
        "nuclei": 6.0 + 0.5 * wave,
        "deliver": 0.5,
        "whole way": 11.2 + 1.6 * wave,
    }
    verdicts = [
        {"number": 17, "rule": "follow", "kind": "move", "passed": True, "words": ""},
        {"number": 18, "rule": "follow", "kind": "move", "passed": False,
         "words": "found 1240 um as x, allowed are 0 to 1000 um: ask for a value of these"},
    ]  # fmt: skip
    return {
        "at": time.time(), "frames_per_s": 20.0 + 0.1 * wave, "results_per_s": 19.9, "shown_per_s": 18.4,
        "steps_ms": {name: {"p50": p50, "p95": p50 * 1.3} for name, p50 in steps.items()},
        "queue": {"waiting": 1, "depth": 4}, "ledger": {"done": 980 + seq, "skipped": 12, "lost": 1},
        "reasons": {"queue": 12, "camera": 1},
        "trust": {"denoise": {"suspicion": 0.3 + 0.05 * wave, "bias": -0.02, "distance": 1.9}}, "suspect": {},
        "providers": {"denoise": "cpu", "nuclei": "cpu"}, "objects": {"cells": N},
        "feedback": {"armed": armed, "held": "", "paused": False, "counts": {"done": 21, "refused": 3},
                     "dose_j_cm2": 7.4, "dose_most": 10.0, "last": verdicts},
        "recording": {"folder": "20261122-dividing-cells", "frames": 980 + seq, "bytes": 514_000_000 + seq},
        "paused": paused,
    }  # fmt: skip


def png() -> Pixels:
    """The bytes of a small PNG."""
    return np.asarray(cv2.imencode(".png", np.clip(frame(0)[1] / 5, 0, 255).astype(np.uint8))[1], np.uint8).ravel()
