"""Tests of one value as they are written: `{above: 0.8, until_below: 0.6}`, `metaphase`, `[1, 2]`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from ._strict import Strict
from ._texts import ReferenceText, reference

Finite = Annotated[float, Field(allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1, max_length=128)]
Plain = bool | Finite | Text
BOUNDS = ("above", "at_least", "below", "at_most", "until_below", "until_above")
"""Fields that are thresholds."""


class TestModel(Strict):
    """What a value must be. A value alone, or a list of them, is what it `is`."""

    __test__ = False  # no test of pytest's
    above: Finite | None = Field(None, description="greater than")
    at_least: Finite | None = Field(None, description="equal or greater")
    below: Finite | None = Field(None, description="smaller than")
    at_most: Finite | None = Field(None, description="equal or smaller")
    until_below: Finite | None = Field(None, description="once it held, it holds until the value is smaller than this")
    until_above: Finite | None = Field(None, description="once it held, it holds until the value is greater than this")
    is_: Plain | list[Plain] | None = Field(
        None, alias="is", description="this value, or one of these; names of classes in the column `class`"
    )
    relative_to: ReferenceText | None = Field(
        None, description="the value is divided by `highest of N`, `lowest of N`, `mean of N` frames before, or `first`"
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, written: Any) -> Any:
        return {"is": written} if isinstance(written, (bool, int, float, str, list)) else written

    @property
    def lower(self) -> float | None:
        """The lower threshold."""
        return self.above if self.above is not None else self.at_least

    @property
    def upper(self) -> float | None:
        """The upper threshold."""
        return self.below if self.below is not None else self.at_most

    @model_validator(mode="after")
    def _fits(self) -> TestModel:
        low, high = self.lower, self.upper
        if None not in (self.above, self.at_least) or None not in (self.below, self.at_most):
            raise ValueError("found two thresholds on one side, expected above or at_least, and below or at_most")
        if (self.is_ is not None) == (low is not None or high is not None):
            raise ValueError("found no one test, expected either a threshold (above, at_least, below, at_most) or `is`")
        if low is not None and high is not None and low > high:
            raise ValueError(f"found {low:g} to {high:g}, expected the smaller number first")
        if self.until_below is not None and (low is None or self.until_below > low):
            raise ValueError("found until_below, expected it with `above` or `at_least`, and not beyond that")
        if self.until_above is not None and (high is None or self.until_above < high):
            raise ValueError("found until_above, expected it with `below` or `at_most`, and not beyond that")
        if self.is_ == []:
            raise ValueError("found an empty list, expected values")
        if self.relative_to is not None:
            reference(self.relative_to)
            if self.is_ is not None:
                raise ValueError("found relative_to beside `is`, expected a threshold: a factor, such as below: 0.7")
        return self
