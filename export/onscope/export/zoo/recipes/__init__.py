"""Training ground: recipes that make examples with known truth of the specimen's scenarios. Imports no framework.

A recipe names a scenario of `onscope.specimen` and says two things: `plan`, a function from the scenario and a
generator to what is simulated (the scenario with other settings, the camera, and the shots: when, where, how lit and
focused), and `examples`, a function from one such field, image and truth, to what a network is trained with: pairs,
crops, targets.

recipe = Recipe("plates", "dividing-cells", plan=plan, examples=cut)
for crop, label in gather(recipe, Part.TRAINING, 200): ...       # 200 specimens, in worker processes
for crop, label in gather(recipe, Part.HELD_OUT, 10): ...        # others, by construction

Both functions stand in a module (worker processes find them by name), draw from the generator that they are given and
from nothing else: the same recipe, part and number give the same examples, whoever asks, in whatever order. The seeds
of training, validation and held-out specimens are ranges that do not meet (`seed_of`).

The networks for cells learn from recipes. Those for beads draw scenes of `onscope.specimen.SceneRanges` anew for every
batch, which takes less time than reading them; their evaluation has seeds of its own.
"""

from __future__ import annotations

from ._gather import gather
from ._instances import instances
from ._nuclei import NUCLEI, STARS, Nuclei, Stars
from ._parts import Part, seed_of
from ._recipe import Field, Plan, Recipe, Shot, around, made

__all__ = [
    "NUCLEI",
    "STARS",
    "Field",
    "Nuclei",
    "Part",
    "Plan",
    "Recipe",
    "Shot",
    "Stars",
    "around",
    "gather",
    "instances",
    "made",
    "seed_of",
]
