"""What other parts of onscope share with the runtime: arrays that two processes see, and the user's cache folder."""

from ._cache_place import cache_folder
from ._shm import SharedSlots

__all__ = ["SharedSlots", "cache_folder"]
