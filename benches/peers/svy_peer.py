"""The works in the package `svy`: `svy_peer.py WORK FOLDER`. Prints one JSON object; `seconds` is the work alone."""

import json
import pathlib
import resource
import sys
import time
import warnings

import polars
import svy

from population import CROSSED, REPLICATES

warnings.filterwarnings("ignore")
work, folder = sys.argv[1], pathlib.Path(sys.argv[2])
targets = {name: {level: float(total) for level, total in of.items()} for name, of in json.loads((folder / "margins.json").read_text()).items()}
sample = svy.Sample(svy.read_csv(str(folder / "persons.csv")), svy.Design(stratum="district", psu="psu", wgt="w"))
raking = {"controls": targets, "tol": 1e-10, "max_iter": 500}


def table(of, **options):
    p = se = 0.0
    for name in CROSSED:
        found = of.estimation.prop("literate", by=["district", name], **options).to_polars()
        found = found.filter(polars.col("literate").cast(polars.Float64) == 1)
        p += found["est"].fill_nan(0).sum()
        se += found["se"].fill_null(0).fill_nan(0).sum()
    return {"p": p, "se": se}


ready = sample.weighting.rake(**raking) if work == "b2" else sample
start = time.perf_counter()
if work == "a":
    raked = sample.weighting.rake(**raking)
    check = {"squares": float((raked.data["rk_wgt"].to_numpy() ** 2).sum())}
elif work == "c":
    made = sample.weighting.create_bs_wgts(n_reps=REPLICATES, rstate=7).weighting.rake(**raking)
    check = table(made, method="replication")
else:
    check = table(ready)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peak_bytes": peak, "check": check}))
