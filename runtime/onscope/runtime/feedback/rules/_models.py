"""Rule files: YAML 1.2, no aliases, checked by pydantic, with line numbers in the errors.

schema: 1
rules:
  metaphase:
    each: phase
    when: {class: metaphase, score: {above: 0.8}, in_frames: 2 of 3}
    then:
      - burst: {frames: 60, interval_ms: 500}
    cooldown: 5 minutes per object
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from ._condition_model import ConditionModel, StageName
from ._limits_model import Above0, LimitsModel
from ._region_model import RegionModel
from ._strict import Strict
from ._test_model import Text
from ._texts import Cooldown, CooldownText, OnceText, PickText, cooldown
from ._then_model import One, ThenModel

if TYPE_CHECKING:
    Then = One
else:
    Then = ThenModel
Number = Annotated[int, Field(ge=0, strict=True)]


class RuleModel(Strict):
    """One rule."""

    each: StageName | None = Field(
        None, description="the stage whose objects are looked at one by one; left out: frames are"
    )
    tracks: StageName | None = Field(None, description="the stage that tracks them, where there are several")
    pick: PickText | None = Field(
        None, description="of the objects that meet `when` one alone, which is kept until it is lost"
    )
    when: ConditionModel | None = Field(None, description="what must hold; left out: always")
    then: Annotated[list[Then], Field(min_length=1, max_length=32)] = Field(description="what is asked for")
    cooldown: CooldownText | None = Field(
        None, description="no other proposal for so long: 30 s, 5 minutes per object, 1 hour per position"
    )
    once: OnceText | None = Field(None, description="one proposal alone: per object, per position, per experiment")
    repeat: bool = Field(True, description="false: only when it begins to hold, not in every frame in which it holds")
    together: bool = Field(False, description="one proposal for all objects that meet `when`: light on all of them")
    most: int = Field(16, ge=1, le=10_000, strict=True, description="objects of one frame that are proposed for")
    action_frames: bool = Field(False, description="frames that actions asked for (bursts, stacks, tiles) count, too")
    priority: int = Field(0, ge=-1_000_000, le=1_000_000, strict=True, description="higher ones come first")
    camera: Text | list[Text] | None = Field(None, description="frames of these cameras only")
    channel: Text | Number | list[Text | Number] | None = Field(None, description="names or numbers of channels")
    position: Text | Number | list[Text | Number] | None = Field(None, description="names or numbers of positions")

    @field_validator("then", mode="before")
    @classmethod
    def _one(cls, written: Any) -> Any:
        """One action alone needs no list."""
        return [written] if isinstance(written, (dict, str)) else written

    @property
    def pause(self) -> Cooldown | None:
        """Its cooldown, whichever way it is written."""
        told = self.cooldown or self.once
        return None if told is None else cooldown(told)

    @model_validator(mode="after")
    def _fits(self) -> RuleModel:
        if self.cooldown is not None and self.once is not None:
            raise ValueError("found cooldown and once, expected one of them: once is a cooldown that never ends")
        told = [name for name in ("pick", "tracks") if getattr(self, name) is not None]
        told += ["together"] if self.together else []
        told += ["per object"] if self.pause is not None and self.pause.scope == "object" else []
        if self.each is None and told:
            raise ValueError(f"found {', '.join(told)} without `each`, expected the stage of the objects: each: STAGE")
        if self.pick is not None and self.together:
            raise ValueError("found pick and together, expected one of them: pick chooses one object")
        return self


class CameraModel(Strict):
    """How the camera's pixels lie to the stage."""

    swap_xy: bool = Field(False, description="columns run along y of the stage")
    flip_x: bool = Field(False, description="against x of the stage, after the swap")
    flip_y: bool = Field(False, description="against y of the stage")


class RulesModel(Strict):
    """A rule file."""

    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    name: Text | None = Field(None, description="of the experiment; left out: the file's")
    rules: Annotated[dict[Text, RuleModel], Field(min_length=1, max_length=256)]
    regions: Annotated[dict[Text, RegionModel], Field(max_length=256)] = Field({}, description="places, by name")
    limits: LimitsModel | None = Field(None, description="what the gate tightens")
    camera: CameraModel | None = Field(None, description="how its pixels lie to the stage; left out: as told elsewhere")
    same_within_um: Above0 = Field(
        5.0, description="tracks begin anew when the stage has moved: so near to where it was, it is the same object"
    )
    lost_after_frames: int = Field(
        3, ge=1, le=10_000, strict=True, description="frames in a row without it after which an object is lost"
    )
