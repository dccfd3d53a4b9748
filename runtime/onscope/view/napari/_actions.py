"""Buttons for what a run lets its viewers do."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from .._values import Wanted
from ..client import Done, ViewClient, told

BUTTONS = {"arm": "Arm", "shadow": "Shadow", "pause": "Pause", "resume": "Resume", "snapshot": "Snapshot"}
SURE_MS = 3000
"""How long a first click on what moves hardware waits for the second."""
SURE = ("arm",)
MOST_WORDS = 500


class Actions(QWidget):
    """A button for each action that is offered; what became of it is said below. Arming takes two clicks."""

    def __init__(self) -> None:
        super().__init__()
        self.client: ViewClient | None = None
        self.views: Sequence[Wanted] = ()
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = {action: QPushButton(words) for action, words in BUTTONS.items()}
        self._asked_twice = ""
        self._asked: Future[Done] | None = None
        grid = QGridLayout(self)
        for number, (action, button) in enumerate(self.buttons.items()):
            grid.addWidget(button, number // 3, number % 3)
            button.clicked.connect(lambda _=False, action=action: self._click(action))
        grid.addWidget(self.words, 2, 0, 1, 3)
        self.offer(())

    def offer(self, actions: Sequence[str]) -> None:
        """Show the buttons of these actions alone."""
        for action, button in self.buttons.items():
            button.setVisible(action in actions)

    def look(self) -> None:
        """Say what became of the last question, when it is answered; to be called now and then."""
        if self._asked is None or not self._asked.done():
            return
        asked, self._asked = self._asked, None
        error = None if asked.cancelled() else asked.exception()
        said = str(error) if error is not None else "" if asked.cancelled() else asked.result().words
        self.words.setText(said[:MOST_WORDS])

    def _click(self, action: str) -> None:
        if self.client is None:
            return
        if action in SURE and self._asked_twice != action:
            self._asked_twice = action
            self.buttons[action].setText("Really?")
            QTimer.singleShot(SURE_MS, self._calm)
            return
        self._calm()
        fields: dict[str, Any] = {"views": [told(view) for view in self.views]} if action == "snapshot" else {}
        self.words.setText(f"{BUTTONS[action]} ...")
        self._asked = self.client.ask(action, **fields)

    def _calm(self) -> None:
        self._asked_twice = ""
        for action in SURE:
            self.buttons[action].setText(BUTTONS[action])
