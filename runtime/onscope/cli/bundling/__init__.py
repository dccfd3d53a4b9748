"""What `onscope bundle` is made of: wheels for a machine, pipelines with their packages, hashes, an installer."""

from ._errors import BundleError
from ._lists import hash_list, requirements
from ._own import own_source, own_wheel, pins_of
from ._pipelines import copy_pipeline
from ._resolve import gather
from ._target import PLATFORMS, Target
from ._wheel import Wheel

__all__ = [
    "PLATFORMS",
    "BundleError",
    "Target",
    "Wheel",
    "copy_pipeline",
    "gather",
    "hash_list",
    "own_source",
    "own_wheel",
    "pins_of",
    "requirements",
]
