"""Light dose: what every place of the sample and every tracked object was given, in J/cm2, over all runs of a file."""

from ._book import DoseBook
from ._exposures import NOTHING, Exposures
from ._light import ENERGY, LightUnknownError, Lit, Pattern, Square, dose_j_cm2, light_of, light_of_frame, routine_light

__all__ = [
    "ENERGY",
    "NOTHING",
    "DoseBook",
    "Exposures",
    "LightUnknownError",
    "Lit",
    "Pattern",
    "Square",
    "dose_j_cm2",
    "light_of",
    "light_of_frame",
    "routine_light",
]
