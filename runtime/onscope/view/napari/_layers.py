"""Live layers of a napari viewer: added when they are chosen, changed in place with each update."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from .._values import Layout
from .._wire import Array
from ..client import Update
from ._choice import ORDER, Item
from ._guard import guarded
from ._history import History
from ._looks import OPACITY, contrast, features, points_of
from ._places import placed, units

TAIL = 20
"""Frames that a track's tail is long."""


class LiveLayers:
    """The layers of one viewer; used by napari's thread alone. A layer that the user removes is not made again."""

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._layers: dict[Item, Any] = {}
        self._history: dict[Item, History] = {}
        self._flat: set[Item] = set()
        """Images that had no contrast yet."""
        self._empty: set[Item] = set()
        """Layers that are hidden while there is nothing in them."""
        self._changing = threading.RLock()

    def __getitem__(self, item: Item) -> Any:
        return self._layers[item]

    def removed(self) -> list[Item]:
        """Items whose layers the user has removed since; told once."""
        gone = [item for item, layer in self._layers.items() if layer not in self._viewer.layers]
        for item in gone:
            self._forget(item)
        return gone

    def keep(self, chosen: Collection[Item]) -> None:
        """Remove the layers of all that is not chosen any more."""
        for item in [item for item in self._layers if item not in chosen]:
            layer = self._layers[item]
            self._forget(item)
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)

    def put(self, update: Update, pixels: Mapping[int, Array], layout: Layout, chosen: Collection[Item]) -> None:
        """Show an update: what is chosen and in it."""
        with self._changing:
            self._put(update, pixels, layout, chosen)

    def _put(self, update: Update, pixels: Mapping[int, Array], layout: Layout, chosen: Collection[Item]) -> None:
        um = layout.pixel_size_um
        for item in sorted(chosen, key=lambda item: ORDER.index(item.kind)):
            if item.kind in ("image", "labels"):
                picture = next((each for each in update.pictures.values() if each.image == item.name), None)
                if picture is not None:
                    scale, translate = placed(picture.rect, picture.pixels.shape, um)
                    where = {"scale": scale, "translate": translate, "units": units(um), "axis_labels": ("y", "x")}
                    self._image(item, pixels[picture.id], where)
            elif item.name in update.tables:
                columns = update.tables[item.name]
                if item.kind == "tracks":
                    self._tracks(item, update, columns, um)
                else:
                    self._points(item, update, columns, um)
            if item in self._layers:
                told: dict[str, Any] = {"run": layout.run, "name": item.name, "frame": dict(update.frame)}
                told |= {"trust": update.trust.get(item.name, {}), "latency_ms": update.latency_ms}
                self._layers[item].metadata["onscope"] = told

    def _image(self, item: Item, data: Array, where: dict[str, Any]) -> None:
        layer = self._layers.get(item)
        if layer is not None and (layer.data.ndim, layer.data.dtype) != (data.ndim, data.dtype):
            self.keep([each for each in self._layers if each != item])  # napari cannot make it another kind of layer
            layer = None
        if layer is not None:
            layer.data = data
            if not np.allclose(layer.scale[-2:], where["scale"]) or not np.allclose(
                layer.translate[-2:], where["translate"]
            ):
                layer.scale, layer.translate, layer.units = where["scale"], where["translate"], where["units"]
        elif item.kind == "labels":
            layer = self._add(item, self._viewer.add_labels(data, name=item.name, opacity=OPACITY, **where))
            layer.editable = False
        elif data.ndim == 3:
            self._add(item, self._viewer.add_image(data, name=item.name, rgb=True, **where))
        else:
            limits = contrast(data)
            self._add(item, self._viewer.add_image(data, name=item.name, contrast_limits=limits or (0, 1), **where))
            self._flat.add(item)
        if item in self._flat:
            limits = contrast(data)
            if limits is not None:  # once: contrast that follows the data hides what changes
                self._layers[item].contrast_limits_range = (min(0.0, limits[0]), max(limits[1], _top(data)))
                self._layers[item].contrast_limits = limits
                self._flat.discard(item)

    def _points(self, item: Item, update: Update, columns: Mapping[str, Array], um: float | None) -> None:
        vectors = next((each for each in update.vectors if f"{each.kind}:{each.table}" == item.vectors), None)
        places = points_of(columns, vectors)
        layer = self._layers.get(item)
        if layer is None:
            layer = self._viewer.add_points(
                places, name=item.name, features=features(columns), scale=(um or 1.0,) * 2, units=units(um), size=8,
                face_color="transparent",
                border_color="cyan", border_width=0.15, border_width_is_relative=True,
                axis_labels=("y", "x"),
            )  # fmt: skip
            layer.editable = False
            self._add(item, layer)
        else:
            layer.selected_data = set()
            layer.data = places
            layer.features = features(columns)

    def _tracks(self, item: Item, update: Update, columns: Mapping[str, Array], um: float | None) -> None:
        history = self._history.setdefault(item, History())
        if not history.add(update.frame, columns):
            return
        data, graph = history.data()
        layer = self._layers.get(item)
        if not len(data):
            if layer is not None and layer.visible:  # napari has no layer of no tracks
                layer.visible = False
                self._empty.add(item)
            return
        if layer is None:
            layer = self._viewer.add_tracks(
                data, graph=graph, name=item.name, scale=(1, um or 1.0, um or 1.0), units=("pixel", *units(um)),
                axis_labels=("frame", "y", "x"), tail_length=TAIL, head_length=0,
            )  # fmt: skip
            self._add(item, layer)
        else:
            layer.graph = {}  # the one before may name tracks that are not there any more
            layer.data = data
            layer.graph = graph
            if item in self._empty:
                layer.visible = True  # what the user has hidden stays so
        self._empty.discard(item)
        dims = self._viewer.dims
        dims.set_point(dims.ndim - 3, history.newest)

    def _add(self, item: Item, layer: Any) -> Any:
        """Keep it, and put it under those that belong on top of it."""
        above = [
            self._viewer.layers.index(other)
            for each, other in self._layers.items()
            if ORDER.index(each.kind) > ORDER.index(item.kind) and other in self._viewer.layers
        ]
        if above:
            self._viewer.layers.move(self._viewer.layers.index(layer), min(above))
        self._layers[item] = layer
        guarded(layer, self._changing)
        return layer

    def _forget(self, item: Item) -> None:
        self._layers.pop(item, None)
        self._history.pop(item, None)
        self._flat.discard(item)
        self._empty.discard(item)


def _top(data: Array) -> float:
    """The end of the contrast's slider: of the numbers that there may be, or of those that are there."""
    if data.dtype.kind in "iu":
        return float(np.iinfo(data.dtype).max)
    return float(np.max(data, where=np.isfinite(data), initial=0))
