"""Objects of label images: measured as scikit-image's `regionprops` does, outlined, and given to other programs."""

from ._asked import ASKED, check_asked
from ._geojson import write_geojson
from ._measure import measure, measured_columns
from ._outlines import Outline, outlines, polygons
from ._runs import Runs
from ._tables import to_pandas, write_table

__all__ = [
    "ASKED",
    "Outline",
    "Runs",
    "check_asked",
    "measure",
    "measured_columns",
    "outlines",
    "polygons",
    "to_pandas",
    "write_geojson",
    "write_table",
]
