"""A synthetic literacy survey for timing: persons, population margins and the analysis plans, written to a folder.

Districts are strata, some twenty persons share a first-stage unit, weights vary between units and inside them, and
literacy follows education, age, residence, district and unit. The margins are the weighted sample's, tilted by known
factors, so that raking has work to do. `numpy` is all that is needed.
"""

import csv
import json
import pathlib

import numpy

DISTRICTS = 100
PERSONS_A_UNIT = 20
REPLICATES = 200
LEVELS = {
    "sex": ["F", "M"],
    "age": ["18-29", "30-44", "45-59", "60-69", "70+"],
    "edu": ["none", "primary", "junior", "senior", "college"],
    "residence": ["rural", "urban"],
    "district": [f"d{number:03d}" for number in range(DISTRICTS)],
}
TILTS = {
    "sex": [0.95, 1.06],
    "age": [1.25, 1.1, 0.95, 0.9, 0.8],
    "edu": [1.4, 1.25, 1.05, 0.9, 0.75],
    "residence": [1.12, 0.93],
}
CROSSED = ["sex", "age", "edu", "residence"]


def draw(chances, random):
    """One category a row; `chances` has a row of probabilities for each."""
    ends = numpy.cumsum(chances, axis=1)
    return (random.random(len(chances))[:, None] > ends[:, :-1]).sum(axis=1)


def persons(rows, seed=1):
    """Codes of each column, weight and literacy, rows in the order of units."""
    random = numpy.random.default_rng([seed, rows])
    units = max(2 * DISTRICTS, rows // PERSONS_A_UNIT)
    share = random.dirichlet(numpy.full(DISTRICTS, 9.0))
    district_of_unit = numpy.sort(
        numpy.concatenate([numpy.repeat(numpy.arange(DISTRICTS), 2), random.choice(DISTRICTS, units - 2 * DISTRICTS, p=share)])
    )
    unit = numpy.sort(numpy.concatenate([numpy.arange(units), random.integers(0, units, rows - units)]))
    district = district_of_unit[unit]
    urban_share = random.beta(3, 2, DISTRICTS)
    residence = (random.random(units) < urban_share[district_of_unit]).astype(int)[unit]
    flat = lambda shares: numpy.tile(shares, (rows, 1))
    sex = draw(flat([0.54, 0.46]), random)
    age = draw(flat([0.18, 0.26, 0.27, 0.17, 0.12]), random)
    by_age = numpy.array([[1, 5, 30, 34, 30], [2, 9, 38, 27, 24], [5, 17, 41, 22, 15], [12, 28, 35, 16, 9], [22, 35, 26, 11, 6]]) / 100
    tilt = numpy.where(residence[:, None] == 1, [0.6, 0.8, 1.0, 1.1, 1.5], [1.3, 1.2, 1.0, 0.9, 0.6])
    chances = by_age[age] * tilt
    edu = draw(chances / chances.sum(axis=1, keepdims=True), random)
    weight = numpy.round(random.gamma(9, 35, units)[unit] * random.uniform(0.8, 1.25, rows), 4) + 1
    score = (
        random.normal(0, 0.4, DISTRICTS)[district]
        + random.normal(0, 0.35, units)[unit]
        + numpy.array([-1.6, -0.9, -0.2, 0.4, 1.3])[edu]
        + numpy.array([0.2, 0.1, 0.0, -0.2, -0.5])[age]
        + 0.3 * residence
        - 0.35
    )
    literate = (random.random(rows) < 1 / (1 + numpy.exp(-score))).astype(int)
    codes = {"sex": sex, "age": age, "edu": edu, "residence": residence, "district": district}
    return unit, codes, weight, literate, random


def margins(codes, weight, random):
    """For each variable its categories' totals; all add up to one whole number of people."""
    people = round(float(weight.sum()))
    tilts = {**TILTS, "district": random.uniform(0.85, 1.18, DISTRICTS)}
    totals = {}
    for name, levels in LEVELS.items():
        sums = numpy.bincount(codes[name], weight, len(levels)) * tilts[name]
        whole = numpy.round(sums / sums.sum() * people)
        whole[0] += people - whole.sum()
        totals[name] = {level: int(total) for level, total in zip(levels, whole)}
    return totals


def plans(file, totals):
    """The plans of the works: `b`, `b2` and `c`, each for the four crossings of district with a variable."""
    sides = [{"by": [name], "cells": [{name: level, "total": total} for level, total in of.items()]} for name, of in totals.items()]
    rake = {"type": "rake", "margins": sides, "epsilon_relative_to_sum_of_weights": 1e-10, "max_iterations": 500, "variance": "residual"}
    stage = {"unit": "psu", "stratum": ["district"], "population_units": None}
    bootstrap = {"construct": "bootstrap", "replicates": REPLICATES, "seed": 7}
    works = {
        "b": ([], {"method": "taylor"}),
        "b2": ([rake], {"method": "taylor"}),
        "c": ([rake], {"method": "replicate", "replicates": bootstrap}),
    }
    for work, (adjustments, variance) in works.items():
        for name in CROSSED:
            yield f"{work}-{name}", {
                "data": {"file": file},
                "design": {"kind": "stages", "stages": [stage], "weight": "w"},
                "adjustments": adjustments,
                "variance": variance,
                "estimator": {
                    "type": "proportion",
                    "variable": "literate",
                    "by": ["district", name],
                    "ci": {"methods": ["logit"], "level": 0.95},
                },
            }


def write(rows, folder):
    """Writes persons.csv, margins.json and the plans, unless they are there."""
    folder = pathlib.Path(folder)
    if (folder / "complete").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    unit, codes, weight, literate, random = persons(rows)
    totals = margins(codes, weight, random)
    names = {name: numpy.array(levels)[codes[name]] for name, levels in LEVELS.items()}
    with open(folder / "persons.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["psu", "w", "literate", *names])
        writer.writerows(zip(unit.tolist(), weight.tolist(), literate.tolist(), *(column.tolist() for column in names.values())))
    (folder / "margins.json").write_text(json.dumps(totals))
    with open(folder / "margins.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["variable", "level", "total"])
        writer.writerows((name, level, total) for name, of in totals.items() for level, total in of.items())
    for name, plan in plans("persons.csv", totals):
        (folder / f"{name}.json").write_text(json.dumps(plan))
    (folder / "complete").write_text("")
