"""The live view: raw and result side by side, and the run's numbers, in a browser, napari or a notebook.

The acquisition process hands the newest result to a server of its own process, and only while somebody looks.

View        in the acquisition process: starts the server and feeds it
Layout      what a run has to show; Wanted: what a viewer asks for
"""

from ._errors import ViewError
from ._values import ImageLayout, Layout, Setting, TableLayout, Wanted
from ._view import Do, View

__all__ = ["Do", "ImageLayout", "Layout", "Setting", "TableLayout", "View", "ViewError", "Wanted"]
