"""Budgets of light: for any place and for any object, over the whole experiment."""

from __future__ import annotations

import math

from .._actions import Action, Resume
from .._controller import Setting
from .._limits import Limits
from ..dose import NOTHING, DoseBook, Exposures, LightUnknownError, routine_light
from ._values import RefusedError

ROUNDING = 1 + 1e-9
"""Of sums of many doses."""


class Budget:
    """What may still be given, by the limits and the doses in a book."""

    def __init__(self, doses: DoseBook) -> None:
        self._doses = doses

    @staticmethod
    def set(limits: Limits) -> bool:
        """Whether there is one."""
        return limits.field_j_cm2 < math.inf or limits.object_j_cm2 < math.inf

    def check(self, action: Action, limits: Limits, setting: Setting) -> Exposures:
        """The light of an action; raises RefusedError where that would be too much, or cannot be told."""
        try:
            exposures = self._doses.would(action, setting)
            if isinstance(action, Resume) and self.set(limits):
                # Nothing shines yet, but the next routine frame will.
                _left(self._doses.after(routine_light(setting)), limits, 1.0)
        except LightUnknownError as error:
            if self.set(limits):
                raise RefusedError(f"{error} (a budget is set: allowed is light that can be counted)") from error
            return NOTHING
        except ValueError as error:  # places that no microscope has
            raise RefusedError(f"{error}: look at the calibration") from error
        if exposures:
            if self._doses.trouble:
                raise RefusedError(self._doses.trouble)
            _left(exposures, limits, 1.0 - limits.reserve)
        return exposures

    @staticmethod
    def spent(exposures: Exposures, limits: Limits) -> str:
        """Why no more routine frames are to be taken there, after these; empty: they may."""
        for what, dose, budget in _against(exposures, limits):
            if dose > budget * ROUNDING:
                return (
                    f"found {what} in view that was given {dose:.4g} J/cm2, allowed are {budget:.4g} J/cm2: go "
                    "elsewhere, or end the experiment"
                )
        return ""


def _left(exposures: Exposures, limits: Limits, part: float) -> None:
    for what, dose, budget in _against(exposures, limits):
        if dose > budget * part * ROUNDING:
            raise RefusedError(
                f"found light that would bring {what} to {dose:.4g} J/cm2, allowed are {budget * part:.4g} J/cm2: go "
                "elsewhere, give less light, or end the experiment"
            )


def _against(exposures: Exposures, limits: Limits) -> tuple[tuple[str, float, float], ...]:
    return (
        ("a place", exposures.field_j_cm2, limits.field_j_cm2),
        ("an object", exposures.object_j_cm2, limits.object_j_cm2),
    )
