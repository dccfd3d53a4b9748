"""Which camera, and which place of the acquisition."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QSpinBox, QWidget

from .._values import Layout

AXES = {"c": "channel", "p": "position", "z": "plane"}
MOST_PLACES = 100_000


class Where(QWidget):
    """A choice for each axis that the run's frames differ in ("any" at first), and for the camera of several."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._offered: Any = None
        self._camera: QComboBox | None = None
        self._axes: dict[str, Any] = {}

    @property
    def camera(self) -> str:
        return str(self._camera.currentText()) if self._camera is not None else ""

    @property
    def index(self) -> dict[str, int]:
        """The places that are chosen, by axis."""
        found = {}
        for axis, box in self._axes.items():
            at = box.currentIndex() - 1 if isinstance(box, QComboBox) else box.value()
            if at >= 0:
                found[axis] = int(at)
        return found

    def offer(self, layout: Layout) -> None:
        """Show the choices that a layout gives; what was chosen stays where they are the same."""
        offered = (layout.cameras, {axis: list(names) for axis, names in layout.axes.items() if axis != "t"})
        if offered == self._offered:
            return
        self._offered, self._camera, self._axes = offered, None, {}
        while self._form.rowCount():
            self._form.removeRow(0)
        if len(layout.cameras) > 1:
            self._camera = QComboBox()
            self._camera.addItems(list(layout.cameras))
            self._camera.currentIndexChanged.connect(lambda _: self.changed.emit())
            self._form.addRow("camera", self._camera)
        for axis, names in offered[1].items():
            box: Any
            if names:
                box = QComboBox()
                box.addItems(["any", *names])
                box.currentIndexChanged.connect(lambda _: self.changed.emit())
            else:
                box = QSpinBox()
                box.setRange(-1, MOST_PLACES)
                box.setSpecialValueText("any")
                box.setValue(-1)
                box.valueChanged.connect(lambda _: self.changed.emit())
            self._axes[axis] = box
            self._form.addRow(AXES.get(axis, axis), box)
