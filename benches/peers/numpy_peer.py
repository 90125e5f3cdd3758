"""The works by hand in NumPy: `numpy_peer.py WORK FOLDER`.

`a` rakes rows, `a_cells` rakes the crossing of the five margins, `b` is the Taylor table, `b2` the Taylor table with the
calibration's residuals, `c_cells` the re-raked bootstrap on cells. Prints one JSON object; `seconds` is the work alone,
the data being in memory as codes.
"""

import json
import pathlib
import resource
import sys
import time

import numpy
import polars
from scipy import special

from population import CROSSED, DISTRICTS, LEVELS, REPLICATES

work, folder = sys.argv[1], pathlib.Path(sys.argv[2])
frame = polars.read_csv(folder / "persons.csv")
totals = {name: numpy.array(list(of.values()), float) for name, of in json.loads((folder / "margins.json").read_text()).items()}
code = {
    name: frame[name].replace_strict(levels, list(range(len(levels))), return_dtype=polars.Int64).to_numpy()
    for name, levels in LEVELS.items()
}
size = {name: len(levels) for name, levels in LEVELS.items()}
unit, weight, y = (frame[name].to_numpy() for name in ("psu", "w", "literate"))
weight, y = weight.astype(float), y.astype(float)
units = int(unit.max()) + 1
stratum = numpy.zeros(units, int)
stratum[unit] = code["district"]
sampled = numpy.bincount(stratum, minlength=DISTRICTS)
first = numpy.concatenate([[0], numpy.cumsum(sampled)])


def rake(table, places, start=None):
    """Proportional fitting of `table` to every margin, `places` giving each entry's category."""
    table = table.copy() if start is None else table * start
    for _ in range(500):
        worst = 0.0
        for name, target in totals.items():
            reached = numpy.bincount(places[name], table, size[name])
            factor = numpy.divide(target, reached, out=numpy.ones_like(reached), where=reached > 0)
            worst = max(worst, abs(factor - 1).max())
            table *= factor[places[name]]
        if worst < 1e-10:
            return table
    raise SystemExit("raking did not converge")


def crossing(name):
    return code["district"] * size[name] + code[name], DISTRICTS * size[name]


def intervals(p, se, df):
    with numpy.errstate(all="ignore"):
        half = special.stdtrit(df, 0.975) * se / (p * (1 - p))
        centre = special.logit(p)
        return special.expit(centre - half), special.expit(centre + half)


def unit_table(name, values):
    """Sums by unit and category, and how many units of a stratum have a category."""
    of = unit * size[name] + code[name]
    sums = numpy.bincount(of, values, units * size[name]).reshape(units, -1)
    present = numpy.bincount(of, minlength=units * size[name]).reshape(units, -1) > 0
    return sums, numpy.add.reduceat(present.astype(float), first[:-1]).ravel() - 1


def taylor():
    everything = []
    for name in CROSSED:
        cell, cells = crossing(name)
        below = numpy.bincount(cell, weight, cells)
        p = numpy.bincount(cell, weight * y, cells) / below
        sums, df = unit_table(name, weight * (y - p[cell]) / below[cell])
        mean = numpy.add.reduceat(sums, first[:-1]) / sampled[:, None]
        spread = numpy.add.reduceat(sums * sums, first[:-1]) - sampled[:, None] * mean * mean
        se = numpy.sqrt((sampled / (sampled - 1))[:, None] * spread).ravel()
        everything.append((p, se, *intervals(p, se, df)))
    return everything


def calibrated(raked):
    offset = numpy.concatenate([[0], numpy.cumsum(list(size.values()))])
    width = offset[-1]
    columns = [code[name] + offset[at] for at, name in enumerate(totals)]
    normal = numpy.zeros((width, width))
    for one in columns:
        for other in columns:
            normal += numpy.bincount(one * width + other, weight, width * width).reshape(width, width)
    inverse = numpy.linalg.pinv(normal, rcond=1e-12)
    of_units = sum(numpy.bincount(unit * width + one, raked, units * width) for one in columns).reshape(units, width)
    everything = []
    for name in CROSSED:
        cell, cells = crossing(name)
        below = numpy.bincount(cell, raked, cells)
        p = numpy.divide(numpy.bincount(cell, raked * y, cells), below, out=numpy.zeros(cells), where=below > 0)
        e = (y - p[cell]) / below[cell]
        right = sum(numpy.bincount(one * cells + cell, weight * e, width * cells) for one in columns).reshape(width, cells)
        slopes = inverse @ right
        own, df = unit_table(name, raked * e)
        variance = numpy.empty(cells)
        for start in range(0, cells, 100):
            z = -of_units @ slopes[:, start : start + 100]
            for at in range(start, min(start + 100, cells)):
                h, category = divmod(at, size[name])
                z[first[h] : first[h + 1], at - start] += own[first[h] : first[h + 1], category]
            mean = numpy.add.reduceat(z, first[:-1]) / sampled[:, None]
            spread = numpy.add.reduceat(z * z, first[:-1]) - sampled[:, None] * mean * mean
            variance[start : start + 100] = ((sampled / (sampled - 1))[:, None] * spread).sum(axis=0)
        se = numpy.sqrt(numpy.maximum(variance, 0))
        everything.append((p, se, *intervals(p, se, df)))
    return everything


def cells_of_rows():
    shape = list(size.values())
    place = numpy.ravel_multi_index([code[name] for name in totals], shape)
    many = int(numpy.prod(shape))
    return place, many, dict(zip(totals, numpy.unravel_index(numpy.arange(many), shape)))


def bootstrap():
    place, many, places = cells_of_rows()
    full = numpy.bincount(place, weight, many)
    raked = rake(full, places)
    start = numpy.divide(raked, full, out=numpy.ones(many), where=full > 0)
    literate = numpy.flatnonzero(y)
    groups = [(places["district"] * size[name] + places[name], DISTRICTS * size[name]) for name in CROSSED]
    random = numpy.random.default_rng(7)
    found = []
    for _ in range(REPLICATES):
        multiplier = numpy.empty(units)
        for h, n in enumerate(sampled):
            times = numpy.bincount(random.integers(0, n, n - 1), minlength=n)
            multiplier[first[h] : first[h + 1]] = times * n / (n - 1)
        own = weight * multiplier[unit]
        table = numpy.bincount(place, own, many)
        fitted = rake(table, places, start)
        factor = numpy.divide(fitted, table, out=numpy.zeros(many), where=table > 0)
        above = numpy.bincount(place[literate], own[literate], many) * factor
        with numpy.errstate(all="ignore"):
            found.append(numpy.concatenate([numpy.bincount(g, above, k) / numpy.bincount(g, fitted, k) for g, k in groups]))
    p = numpy.concatenate([numpy.bincount(g, raked * numpy.divide(numpy.bincount(place, weight * y, many), full, out=numpy.zeros(many), where=full > 0), k) / numpy.bincount(g, raked, k) for g, k in groups])
    return [(p, numpy.sqrt(numpy.nanvar(found, axis=0, ddof=1)))]


ready = rake(weight, code) if work == "b2" else None
start = time.perf_counter()
if work == "a":
    check = {"squares": float((rake(weight, code) ** 2).sum())}
elif work == "a_cells":
    place, many, places = cells_of_rows()
    table = numpy.bincount(place, weight, many)
    fitted = rake(table, places)
    final = weight * numpy.divide(fitted, table, out=numpy.zeros(many), where=table > 0)[place]
    check = {"squares": float((final**2).sum())}
else:
    made = {"b": taylor, "b2": lambda: calibrated(ready), "c_cells": bootstrap}[work]()
    check = {"p": float(numpy.nansum(numpy.concatenate([m[0] for m in made]))), "se": float(numpy.nansum(numpy.concatenate([m[1] for m in made])))}
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds, "peak_bytes": peak, "check": check}))
