"""The box's end: `onscope serve`."""

from ._server import Server

__all__ = ["Server"]
