"""The command line. Commands are entry points of the group onscope.commands, imported when they are called."""

from ._app import main

__all__ = ["main"]
