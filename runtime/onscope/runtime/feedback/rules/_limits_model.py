"""What the gate tightens, as it is written."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from .._limits import LimitsChange
from ._strict import Strict
from ._test_model import Finite, Text

Range = tuple[Finite, Finite]
From0 = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
RANGES = ("x_um", "y_um", "z_um", "exposure_ms", "interval_s")


class LimitsModel(Strict):
    """What the gate tightens for these rules; nothing here ever loosens what the devices allow."""

    x_um: Range | None = Field(None, description="[lowest, highest] place of the stage")
    y_um: Range | None = None
    z_um: Range | None = None
    step_um: Above0 | None = Field(None, description="the farthest that one action moves the stage")
    z_step_um: Above0 | None = Field(None, description="the same of the focus")
    exposure_ms: Range | None = None
    interval_s: Range | None = None
    power_mw: dict[Text, From0] | None = Field(None, description="the highest power at the sample, by light")
    pulse_ms: dict[Text, From0] | None = Field(None, description="the longest pulse, by line")
    presets: dict[Text, list[Text]] | None = Field(None, description="those that may be chosen, by group")
    targets: dict[Text, Text | Annotated[list[Text], Field(min_length=1, max_length=64)]] | None = Field(
        None, description="whom `notify` may tell: a webhook on this computer, or a command's arguments"
    )
    frames: Annotated[int, Field(ge=1, strict=True)] | None = Field(None, description="of one action")
    actions_per_s: Above0 | None = None
    frames_per_s: Above0 | None = None
    stale_ms: Above0 | None = Field(None, description="the age of a frame that something may still be done for")
    apply_ms: Above0 | None = Field(None, description="the time from the gate's verdict to its application")
    project_ms: Above0 | None = Field(None, description="the longest projection")
    action_s: Above0 | None = Field(None, description="the longest that one action may take")
    field_j_cm2: From0 | None = Field(None, description="light that any place may be given in the whole experiment")
    object_j_cm2: From0 | None = Field(None, description="light that any tracked object may be given")
    reserve: Annotated[float, Field(ge=0, lt=1)] | None = Field(None, description="of it, kept for routine frames")

    @model_validator(mode="after")
    def _fits(self) -> LimitsModel:
        for name in RANGES:
            told = getattr(self, name)
            if told is not None and told[0] > told[1]:
                raise ValueError(f"found {name} from {told[0]:g} to {told[1]:g}, expected the smaller number first")
        return self

    @property
    def change(self) -> LimitsChange:
        """The same for the gate."""
        told = self.model_dump(exclude_none=True)
        if "presets" in told:
            told["presets"] = {group: frozenset(names) for group, names in told["presets"].items()}
        if "targets" in told:
            told["targets"] = {
                name: (one,) if isinstance(one, str) else tuple(one) for name, one in told["targets"].items()
            }
        return LimitsChange(**told)
