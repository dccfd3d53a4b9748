"""Settings that were changed in mid-run: each window is computed again with those that held for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._errors import OnscopeError
from ..._pipeline import Pipeline
from ..._tune import tune_message, tuned_stage
from ...worker import SETTING
from ._reasons import CannotBeComputed


class TunedChain:
    """A chain whose decoders follow what was recorded of each window."""

    def __init__(self, chain: Any, pipeline: Pipeline) -> None:
        self.chain = chain
        self._pipeline = pipeline
        self._now: dict[str, Mapping[str, float]] = {}

    def follow(self, parameters: Mapping[str, Mapping[str, float]]) -> None:
        """Have the settings of a window, by its recorded parameters; raises CannotBeComputed for what is none."""
        for stage in self._pipeline.networks:
            told = parameters.get(stage.name, {})
            wanted = {name.removeprefix(SETTING): value for name, value in told.items() if name.startswith(SETTING)}
            if wanted == self._now.get(stage.name, {}):
                continue
            try:
                made = tuned_stage(self._pipeline, stage.name, wanted)[0] if wanted else stage
            except OnscopeError as error:
                raise CannotBeComputed(f"what was tuned in mid-run cannot be set here: {error}") from error
            self.chain.tune(tune_message(made))
            self._now[stage.name] = wanted
