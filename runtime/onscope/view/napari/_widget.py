"""The dock widget: connect to a running experiment, choose what to see, watch its numbers, arm and pause it."""

from __future__ import annotations

import logging
import time
from collections import deque
from functools import partial
from typing import Any

from qtpy import API_NAME, PYSIDE_VERSION, QT_VERSION
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import (
    QApplication,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from .._values import Layout
from .._wire import Array
from ..client import Update, ViewClient, ViewError
from ._actions import Actions
from ._binding import warning_of
from ._choice import Item, wanted
from ._layers import LiveLayers
from ._list import Choices
from ._pump import Mailbox, Pump
from ._status import status_words
from ._where import Where

RATE, MOST_RATE = 10, 60
LIMIT, MOST_LIMIT = 2048, 4096
MOST_WORDS = 500
ENDED = "the run has ended"
LOOK_MS = 10
"""How often it looks whether something came."""

log = logging.getLogger("onscope.view")


class LiveView(QWidget):
    """`viewer` is the napari viewer that layers are added to (napari gives it)."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._layers = LiveLayers(napari_viewer)
        self._client: ViewClient | None = None
        self._pump: Pump | None = None
        self._mail = Mailbox()
        self._layout: Layout | None = None
        self._shown: deque[float] = deque(maxlen=20)
        self._age_ms: float | None = None
        pumps: list[Pump] = []
        self._pumps = pumps
        self.destroyed.connect(partial(close_all, pumps))  # of this object nothing is there any more then
        self._trouble = ""
        self._url, self._token = QLineEdit("127.0.0.1:8787"), QLineEdit()
        self._url.setPlaceholderText("http://127.0.0.1:8787/#TOKEN")
        self._token.setPlaceholderText("only where the address has none")
        self._token.setEchoMode(QLineEdit.EchoMode.Password)
        self._connect, self._words = QPushButton("Connect"), QLabel("not connected")
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._list, self._where, self._actions = Choices(), Where(), Actions()
        self._rate, self._limit = QSpinBox(), QSpinBox()
        self._rate.setRange(1, MOST_RATE)
        self._rate.setValue(RATE)
        self._limit.setRange(64, MOST_LIMIT)
        self._limit.setValue(LIMIT)
        self._limit.setSingleStep(256)
        self._arrange()
        self._say(warning_of(API_NAME, PYSIDE_VERSION or QT_VERSION) or "not connected")
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._connect.clicked.connect(self._toggle)
        self._rate.valueChanged.connect(self._pace)
        self._url.returnPressed.connect(self._toggle)
        self._list.ticked.connect(self._choose)
        self._limit.valueChanged.connect(self._choose)
        self._where.changed.connect(self._choose)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.disconnect_from_run)

    def connect_to_run(self, url: str, token: str = "") -> None:
        """Look at the run behind `url`; what was looked at before is left."""
        self.disconnect_from_run()
        self._mail = Mailbox()
        try:
            client = ViewClient(url, token=token, heard=self._mail.put)
        except ViewError as error:
            self._say(str(error))
            return
        self._client = client
        self._actions.client = client
        self._pump = Pump(client, self._rate.value())
        self._pumps[:] = [self._pump]
        self._timer.start(LOOK_MS)
        self._connect.setText("Disconnect")
        self._shown.clear()
        self._age_ms = None
        self._say("connecting ...")

    def disconnect_from_run(self) -> None:
        """Leave the run; its layers stay as they are."""
        if self._pump is not None:
            self._pump.close()
        self._pumps.clear()
        self._timer.stop()
        self._pump = self._client = self._layout = None
        self._actions.client = None
        self._actions.offer(())
        self._connect.setText("Connect")
        self._say("not connected")

    def choose(self, name: str, on: bool = True) -> None:
        """Tick or untick what has this name ("raw", or "cells (points)" where a name is there twice)."""
        self._list.choose(name, on)

    @property
    def chosen(self) -> list[Item]:
        """What is ticked, from the bottom to the top."""
        return self._list.chosen

    def closeEvent(self, event: Any) -> None:
        """Called by Qt."""
        self.disconnect_from_run()
        super().closeEvent(event)

    def event(self, event: Any) -> bool:
        """Called by Qt: a dock that is closed lets go of its widget, and closes it not."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.disconnect_from_run()
        return bool(super().event(event))

    def _pace(self, rate: int) -> None:
        if self._pump is not None:
            self._pump.rate = rate

    def _toggle(self) -> None:
        if self._client is None:
            self.connect_to_run(self._url.text(), self._token.text())
        else:
            self.disconnect_from_run()

    def _look(self) -> None:
        """Take in what came since; called by Qt's timer."""
        for kind, told in self._mail.read():
            self._hear(kind, told)
        self._actions.look()
        ready = self._pump.ready() if self._pump is not None else None
        if ready is not None:
            self._draw(*ready)

    def _hear(self, kind: str, told: dict[str, Any]) -> None:
        if self._client is None:
            return
        if kind in ("hello", "layout"):
            self._know(self._client.layout)
        elif kind == "status":
            words = status_words(told, self._shown_per_s(), self._age_ms)
            more = [self._trouble, ENDED if self._client.ended else ""]
            self._say("\n".join(part for part in (words, *more) if part))
        elif kind in ("lost", "refused", "ended"):
            self._say(f"{kind}: {told.get('words', '')}")

    def _say(self, words: str) -> None:
        self._words.setText(words[:MOST_WORDS])

    def _know(self, layout: Layout | None) -> None:
        if layout is None:
            return
        self._layout = layout
        self._actions.offer(layout.actions)
        self._where.offer(layout)
        self._list.offer(layout)
        self._choose()

    def _choose(self, *_: Any) -> None:
        self._layers.keep(self._list.kept(self._layout))
        if self._client is None or self._layout is None:
            return
        views = wanted(self._layout, self.chosen, self._limit.value(), self._where.camera, self._where.index)
        self._actions.views = views
        self._client.show(views)

    def _draw(self, update: Update, pixels: dict[int, Array]) -> None:
        began = time.monotonic()
        try:
            for item in self._layers.removed():
                self._list.drop(item)
            if self._layout is not None:
                self._layers.put(update, pixels, self._layout, self.chosen)
            self._trouble = ""
        except Exception as error:  # whatever napari makes of it: the next one may be better
            log.warning("an update could not be shown", exc_info=True)
            self._trouble = f"found an update that cannot be shown ({error})"
        finally:
            self._age_ms = update.age_ms
            self._shown.append(time.monotonic())
            if self._pump is not None:
                self._pump.drawn(time.monotonic() - began)

    def _shown_per_s(self) -> float:
        fresh = [at for at in self._shown if time.monotonic() - at < 5]
        return (len(fresh) - 1) / (fresh[-1] - fresh[0]) if len(fresh) > 1 and fresh[-1] > fresh[0] else 0.0

    def _arrange(self) -> None:
        form = QFormLayout()
        form.addRow("Address", self._url)
        form.addRow("Token", self._token)
        more = QHBoxLayout()
        for words, box in (("updates/s", self._rate), ("pixels at most", self._limit)):
            more.addWidget(QLabel(words))
            more.addWidget(box)
        column = QVBoxLayout(self)
        column.addLayout(form)
        for widget in (self._connect, self._words, self._list, self._where):
            column.addWidget(widget)
        column.addLayout(more)
        column.addWidget(self._actions)
        column.addStretch(1)
        self._rate.setToolTip("How many updates are asked for per second, at most")
        self._limit.setToolTip("Rows and columns of a picture, at most: larger ones are made smaller on the way")


def close_all(pumps: list[Pump], *_: Any) -> None:
    """Called by Qt when a widget is gone."""
    for pump in pumps:
        pump.close()
