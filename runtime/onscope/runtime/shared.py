"""Arrays in memory that two processes see, for parts that hand results to a process of their own."""

from ._shm import SharedSlots

__all__ = ["SharedSlots"]
