"""The live view: raw and result side by side, and the run's numbers, in a browser, napari or a notebook.

The acquisition process hands the newest result to a server of its own process, and only while somebody looks.
"""
