"""Look at a running onscope from Python: pictures, tables and numbers over the view's WebSocket.

with ViewClient("http://127.0.0.1:8787/#TOKEN") as client:
    client.show([Wanted(0, "raw", bits=16), Wanted(1, "denoise", vectors=("spots:cells",))])
    update = client.take(5)
    update.pictures[0].pixels
"""

from .._errors import ViewError
from ._address import Address, address_of
from ._client import Done, ViewClient
from ._layout import layout_from
from ._update import Picture, Update, Vectors, update_from
from ._wanted import told

__all__ = [
    "Address",
    "Done",
    "Picture",
    "Update",
    "Vectors",
    "ViewClient",
    "ViewError",
    "address_of",
    "layout_from",
    "told",
    "update_from",
]
