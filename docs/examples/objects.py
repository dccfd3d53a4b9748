"""Nuclei measured live, and given to other programs: a table for pandas, outlines for QuPath."""

import sys
import tempfile
from pathlib import Path

from onscope.drivers import specimen
from onscope.runtime import Measure, Pipeline, Runtime, Stage
from onscope.runtime.objects import polygons, to_pandas, write_geojson, write_table

frames = int(sys.argv[1]) if len(sys.argv) > 1 else 20

pipeline = Pipeline([Stage("nuclei", "zoo/nuclei-cells"), Measure("cells", of="nuclei", intensity=["frame"])])
with specimen.source("dividing-cells", size=512) as source, Runtime(pipeline) as runtime:
    for result in runtime.stream(source, n=frames):
        cells = result["cells"]
        inner = cells[~cells["touches_border"]]
        print(result.frame.id, len(cells), "nuclei,", f"{inner['area_um2'].mean():.0f} um2 each on average")

print(to_pandas(cells)[["label", "y_um", "x_um", "area_um2", "eccentricity", "intensity_mean_frame"]].head())
outline = polygons(result["nuclei"])[cells["label"][0]]
print("The first one's outline has", len(outline), "corners, from y, x =", outline[0])
with tempfile.TemporaryDirectory() as folder:
    write_table(Path(folder) / "cells.parquet", cells)
    write_geojson(Path(folder) / "cells.geojson", result["nuclei"], cells)
    print("Written:", ", ".join(sorted(path.name for path in Path(folder).iterdir())))
print(runtime.ledger.counts)
