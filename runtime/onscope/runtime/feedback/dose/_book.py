"""The book of light doses: per place and per tracked object, kept in a file."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..._errors import RecordError
from ..._frame import Frame
from .._actions import Action
from .._controller import Setting
from ..aim import STRAIGHT, AimSettings
from ._exposures import NOTHING, Exposures
from ._file import DoseFile
from ._grid import SIDE, Grid, patch_of
from ._light import Lit, light_of, light_of_frame
from ._lines import block_from, block_line, head, packed, patch_from, patch_line, unpacked
from ._objects import Objects

CELL_UM = 20.0
OBJECT_UM = 10.0
OBJECTS_S = 1.0
"""How often the doses of objects under routine frames are written; those of places are with every frame."""


class DoseBook:
    """Doses in J/cm2 of places, in cells of `cell_um` (None: as the file has them, or 20), and of objects.

    `path`: the file that keeps them over runs (None: memory alone). One run at a time has it. A dose is with the system
    when `book` or `exposed` returns, and on the disk itself within `sync_s`. Objects are `object_um` wide: light that
    comes that near to their middle falls on them. Called from any thread. Raises RecordError where the file is in use,
    damaged, or of other cells.
    """

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        cell_um: float | None = None,
        object_um: float = OBJECT_UM,
        sync_s: float = 1.0,
    ) -> None:
        for name, value in (("cell_um", cell_um), ("object_um", object_um)):
            if value is not None and not 0 < value < math.inf:
                raise RecordError(f"found {name} = {value}, expected micrometres above 0")
        self._lock = threading.RLock()
        self._grid, self._objects = Grid(), Objects(object_um / 2)
        self._told_s = -math.inf
        self.joules = 0.0
        """Energy that the sample was given."""
        self.torn = 0
        """Bytes at the file's end that were cut off: a write that the end of the run before came into."""
        self.cell_um = cell_um or CELL_UM
        self._file: DoseFile | None = None
        if path is not None:
            try:
                file = DoseFile(Path(path), self.cell_um, self._everything, self._lock, sync_s)
            except OSError as error:
                raise RecordError(
                    f"found no way to keep doses in {path} ({error}), expected a file that can be written: choose one"
                ) from error
            self._file = file
            try:
                self._read(file, cell_um)
            except BaseException:
                self.close()
                raise

    def would(self, action: Action, setting: Setting) -> Exposures:
        """What an action would light, and bring doses to; nothing is booked. Raises LightUnknownError where that
        cannot be told.
        """
        return self.after(light_of(action, setting))

    def after(self, parts: tuple[Lit, ...]) -> Exposures:
        """The same for light as it lies on the sample."""
        if not parts:
            return NOTHING
        patches = tuple(patch_of(part, self.cell_um) for part in parts)
        with self._lock:
            field = self._grid.peak_with(list(patches))
            most = 0.0
            if len(self._objects):
                more = self._objects.given(parts)
                hit = (more > 0) & self._objects.present
                if hit.any():
                    most = float((self._objects.dose + more)[hit].max())
        return Exposures(parts, patches, field, most)

    def book(self, exposures: Exposures) -> None:
        """Add light; in the file when this returns. Raises RecordError where the file cannot be written: it is then
        booked in memory alone.
        """
        if exposures:
            self._book(exposures, with_objects=True)

    def exposed(self, frame: Frame, setting: Setting) -> Exposures:
        """Book the light of a routine frame; where it brought doses to."""
        exposures = self.after(light_of_frame(frame, setting))
        if exposures:
            self._book(exposures, with_objects=False)
        return exposures

    def _book(self, exposures: Exposures, *, with_objects: bool) -> None:
        with self._lock:
            for patch in exposures.patches:
                self._grid.add(patch)
            self.joules += exposures.joules
            line: dict[str, Any] = {"lit": [patch_line(patch) for patch in exposures.patches], "j": exposures.joules}
            if len(self._objects):
                more = self._objects.given(exposures.parts)
                self._objects.dose += more
                if with_objects and (more > 0).any():
                    line["objects"] = packed(self._objects.rows(more > 0))
            if self._file is not None:
                self._file.append(line)

    def objects(
        self,
        frame: Frame,
        tracks: Sequence[int] | npt.NDArray[Any],
        y: Sequence[float] | npt.NDArray[Any],
        x: Sequence[float] | npt.NDArray[Any],
        pixel_um: float,
        stage: tuple[float, float],
        *,
        shape: tuple[int, int] | None = None,
        aim: AimSettings = STRAIGHT,
    ) -> None:
        """Where tracked objects are in a frame: `y` and `x` in its pixels, with the stage at `stage` (x_um, y_um).

        Called with each result that has tracks. `shape` is the frame's (y, x), for one without pixels; `aim` says how
        pixels lie to the stage. Rows without a track (0) or a finite place are left out.
        """
        number = np.asarray(tracks, np.int64)
        rows, columns = shape or frame.pixels.shape[:2]
        dy, dx = np.asarray(y, np.float64) - (rows - 1) / 2, np.asarray(x, np.float64) - (columns - 1) / 2
        off_y, off_x = aim.off_axis_px
        to_x, to_y = aim.on_stage(dy + off_y, dx + off_x, pixel_um)
        at_x, at_y = stage[0] + np.asarray(to_x), stage[1] + np.asarray(to_y)
        _, first = np.unique(number, return_index=True)
        one = np.zeros(len(number), bool)
        one[first] = True
        good = one & (number > 0) & np.isfinite(at_x) & np.isfinite(at_y)
        number, at_y, at_x = number[good], at_y[good], at_x[good]
        with self._lock:
            self._objects.begin(frame.id.run)
            places = np.array([self.field(x, y) for x, y in zip(at_x, at_y, strict=True)])
            self._objects.tell(number, at_y, at_x, places)
            now = time.monotonic()
            if self._file is not None and now - self._told_s >= OBJECTS_S and len(number):
                self._told_s = now
                self._file.append({"objects": packed(self._objects.rows(self._objects.present))})

    def field(self, x_um: float, y_um: float) -> float:
        """The dose of a place of the stage plane: that of its cell."""
        with self._lock:
            return self._grid.at(math.floor(y_um / self.cell_um), math.floor(x_um / self.cell_um))

    def object(self, track: int) -> float:
        """The dose of a track of this run; 0 where it was never told."""
        with self._lock:
            return self._objects.of(track)

    def cells(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """All cells that were lit: their (row, column), (n, 2), and doses, (n); cell (r, c) begins at y r * cell_um."""
        with self._lock:
            blocks = sorted(self._grid.blocks.items())
        at = [np.argwhere(block) + np.array(key) * SIDE for key, block in blocks]
        doses = [block[block != 0] for _, block in blocks]
        return np.concatenate([np.zeros((0, 2), np.int64), *at]), np.concatenate([np.zeros(0), *doses])

    @property
    def trouble(self) -> str:
        """Why doses cannot be kept any more, in words; empty: they are."""
        return "" if self._file is None else self._file.trouble

    def compact(self) -> None:
        """Write the file anew without what is repeated; done by itself when it has grown."""
        if self._file is not None:
            self._file.rewrite()

    def close(self) -> None:
        """Have all on the disk; another run may have the file then. Called twice it does nothing."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _everything(self) -> Iterator[dict[str, Any]]:
        """Copied now, made into lines later: nobody waits for that."""
        blocks = [(key, block.copy()) for key, block in self._grid.blocks.items()]
        rest: list[dict[str, Any]] = [{"j": self.joules}, {"objects": packed(self._objects.rows())}]
        return chain([head(self.cell_um)], rest, ({"block": block_line(*each)} for each in blocks))

    def _read(self, file: DoseFile, cell_um: float | None) -> None:
        if cell_um is not None and cell_um != file.cell_um:
            raise RecordError(
                f"found cells of {file.cell_um} um in {file.path}, expected {cell_um}: leave their size to the file"
            )
        self.cell_um, self.torn = file.cell_um, file.torn
        objects: list[npt.NDArray[np.float64]] = []
        for line in file.lines:
            for values in line.get("lit", ()):
                self._grid.add(patch_from(values))
            if "block" in line:
                key, block = block_from(line["block"])
                self._grid.blocks[key] = block
            self.joules += line.get("j", 0.0)
            if "objects" in line:
                objects.append(unpacked(line["objects"]).reshape(-1, 4))
        self._objects.restore(objects)
        file.lines.clear()
