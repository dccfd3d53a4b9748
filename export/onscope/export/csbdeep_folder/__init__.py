"""Model folders of CSBDeep's family (CARE, N2V, StarDist): config.json, typed and bounded, and the networks in it."""

from ._care import Care, read_care, with_named_outputs
from ._fields import Fields
from ._open import Opened, open_network
from ._stardist import Stardist, read_stardist, with_one_output

__all__ = [
    "Care",
    "Fields",
    "Opened",
    "Stardist",
    "open_network",
    "read_care",
    "read_stardist",
    "with_named_outputs",
    "with_one_output",
]
