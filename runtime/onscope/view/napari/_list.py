"""What can be looked at, to be ticked."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem

from .._values import Layout
from ._choice import Item, items_of

LEAST_ROWS, MOST_ROWS = 3, 12
"""That are seen at once."""


class Choices(QListWidget):
    """What a run has to show; `ticked` tells that it is another choice.

    What was ticked stays so where a run does not have it, or not yet: tables are known from their first rows on, and
    a run that begins again has everything of the one before.
    """

    ticked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._wished: set[Item] | None = None
        self.itemChanged.connect(self._note)

    @property
    def chosen(self) -> list[Item]:
        """What is ticked and there, from the bottom to the top."""
        entries = [self.item(row) for row in range(self.count())]
        ticked = [each for each in entries if each.checkState() == Qt.CheckState.Checked]
        return [each.data(Qt.ItemDataRole.UserRole) for each in ticked]

    def kept(self, layout: Layout | None) -> list[Item]:
        """Whose layers stay: what is ticked, but for what this run does not know by name."""
        wished = list(self._wished or ())
        if layout is None:
            return wished
        names = {image.name for image in layout.images} | {table.name for table in layout.tables}
        return [item for item in wished if item.name in names]

    def offer(self, layout: Layout) -> None:
        """Show what this run has; at first the raw frames are ticked."""
        items = items_of(layout)
        if self._wished is None:
            self._wished = {item for item in items if item.name == "raw"}
        self.blockSignals(True)
        self.clear()
        for item in items:
            entry = QListWidgetItem(item.words)
            entry.setData(Qt.ItemDataRole.UserRole, item)
            entry.setFlags(entry.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            entry.setCheckState(Qt.CheckState.Checked if item in self._wished else Qt.CheckState.Unchecked)
            self.addItem(entry)
        self.blockSignals(False)
        rows = min(max(len(items), LEAST_ROWS), MOST_ROWS)
        self.setFixedHeight(rows * max(1, self.sizeHintForRow(0)) + 4 * self.frameWidth() + 2)

    def choose(self, name: str, on: bool = True) -> None:
        """Tick or untick what has this name ("raw", or "cells (points)" where a name is there twice)."""
        for row in range(self.count()):
            entry = self.item(row)
            item: Item = entry.data(Qt.ItemDataRole.UserRole)
            if name in (item.name, item.words):
                entry.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def drop(self, item: Item) -> None:
        """Untick it, also where it is not there."""
        (self._wished or set()).discard(item)
        self.choose(item.words, False)

    def _note(self, entry: QListWidgetItem) -> None:
        item, wished = entry.data(Qt.ItemDataRole.UserRole), self._wished or set()
        on = entry.checkState() == Qt.CheckState.Checked
        self._wished = wished | {item} if on else wished - {item}
        self.ticked.emit()
