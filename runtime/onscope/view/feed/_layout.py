"""What a run has to show, as its pipeline says and as its results really look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onscope.runtime import FrameSpec, Result, Runtime

from .._values import ImageLayout, Layout, TableLayout
from ._board import RAW
from ._extras import Extras

MOST_POSITIONS = 4096
"""Positions of an axis that are told."""


class Layouts:
    """The layout, told again when results show something new. `actions` are those that viewers may ask for."""

    def __init__(self, runtime: Runtime, actions: tuple[str, ...], extras: Extras) -> None:
        self._pipeline, self._actions, self._extras = runtime.pipeline, actions, extras
        self._axes: dict[str, int] = {}
        self._cameras: dict[str, None] = {}
        self._images: dict[str, ImageLayout] = {}
        self._tables: dict[str, TableLayout] = {}
        self._run, self._pixel_um = "", None if extras.spec is None else extras.spec.pixel_size_um
        self._settings = extras.settings
        for stage in self._pipeline.stages:
            if stage.gives == "table":
                self._tables[stage.name] = TableLayout(stage.name, {}, (), self._labels_of(stage.name))
            else:
                self._images[stage.name] = ImageLayout(stage.name, "", (), 1.0, stage.gives == "labels")
        if extras.spec is not None:
            self._set_raw(extras.spec)
        self._seen: Any = None

    def set_settings(self, settings: Any) -> None:
        self._settings = tuple(settings)

    def looks_new(self, result: Result) -> bool:
        """Take note of a result; whether the layout is another one by it."""
        frame = result.frame
        look = (frame.id.run, frame.id.camera, frame.pixels.shape, frame.pixels.dtype, frame.pixel_size_um)
        answers = tuple((name, a.dtype, a.shape if a.dtype.names is None else ()) for name, a in result.answers.items())
        new = (look, answers) != self._seen
        for axis, at in frame.index.items():
            if axis != "t" and at >= self._axes.get(axis, 0) and at < MOST_POSITIONS:
                self._axes[axis] = at + 1
                new = True
        if not new:
            return False
        self._seen = look, answers
        self._run, self._pixel_um = frame.id.run, frame.pixel_size_um or self._pixel_um
        self._cameras[frame.id.camera] = None
        self._images = {RAW: ImageLayout(RAW, frame.pixels.dtype.name, frame.pixels.shape)} | {
            name: image for name, image in self._images.items() if name != RAW
        }
        for name, array in result.answers.items():
            if array.dtype.names is None:
                labels = name in self._images and self._images[name].labels
                scale = result.scales.get(name, 1.0)
                self._images[name] = ImageLayout(name, array.dtype.name, array.shape, scale, labels)
            else:
                columns = {column: array.dtype[column].name for column in array.dtype.names}
                labels_of = self._labels_of(name)
                self._tables[name] = TableLayout(name, columns, kinds_of(columns, labels_of), labels_of)
        return True

    def layout(self) -> Layout:
        """As it is now."""
        raw = self._images.get(RAW)
        names = {axis: list(map(str, self._extras.axes.get(axis, ()))) for axis in {**self._axes, **self._extras.axes}}
        for axis, size in self._axes.items():
            names[axis] += [str(number) for number in range(len(names[axis]), size)]
        return Layout(
            run=self._run,
            shape=(raw.shape[0], raw.shape[1]) if raw else (0, 0),
            dtype=raw.dtype if raw else "",
            pixel_size_um=self._pixel_um,
            images=tuple(self._images.values()),
            tables=tuple(self._tables.values()),
            cameras=tuple(self._cameras) or ("",),
            axes=names,
            settings=self._settings,
            actions=self._actions,
            packages=self._packages(),
            live=self._extras.live,
        )

    def _set_raw(self, spec: FrameSpec) -> None:
        self._images = {RAW: ImageLayout(RAW, spec.dtype, spec.shape), **self._images}
        self._cameras[spec.camera] = None

    def _packages(self) -> Mapping[str, str]:
        found = {stage.name: getattr(stage, "package", None) for stage in self._pipeline.stages}
        return {name: package.name for name, package in found.items() if package is not None}

    def _labels_of(self, table: str) -> str:
        """The stage of label images whose objects a table's rows are; empty: there is none."""
        stages = {stage.name: stage for stage in self._pipeline.stages}
        name = table
        while name in stages:
            if stages[name].gives == "labels":
                return name
            if stages[name].gives != "table" or name == stages[name].inputs[0]:
                return ""
            name = stages[name].inputs[0]
        return ""


def kinds_of(columns: Mapping[str, Any], labels: str) -> tuple[str, ...]:
    """How a table's rows can be drawn."""
    kinds = []
    if labels and "label" in columns:
        kinds.append("outlines")
    if {"y0", "x0", "y1", "x1"} <= columns.keys():
        kinds.append("boxes")
    if {"y", "x"} <= columns.keys():
        kinds.append("spots")
        if "track" in columns:
            kinds.append("tails")
    return tuple(kinds)
