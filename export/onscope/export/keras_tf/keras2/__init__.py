"""Files of Keras 2, whose configurations Keras 3 refuses or reads with another meaning, as models of Keras 3."""

from ._archive import of_hdf5, of_zip
from ._layers import KERAS2_ONLY

__all__ = ["KERAS2_ONLY", "of_hdf5", "of_zip"]
