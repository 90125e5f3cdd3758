#!/usr/bin/env python3
"""Recompute the published shares of a scilit bundle from its CSV files alone.

    python3 verify.py BUNDLE_FOLDER

Python 3.8 or newer, standard library only. It shares no code and no method with scilit: weights are added up as
exact decimals from the digits in responses_weighted.csv, and every row of indicator.csv, every margin and the control
totals of the manifest are held against these sums. It checks digests; signatures are `scilit verify`'s business.

Exit code 0: everything agrees; 1: something differs (each difference is a line); 2: the folder cannot be read.
"""

import base64
import csv
import hashlib
import json
import sys
from collections import defaultdict
from decimal import Decimal, getcontext
from pathlib import Path

getcontext().prec = 60
# A published figure is the nearest double to an exact one, after a sum of thousands of doubles.
RELATIVE = Decimal("1e-9")

differences = []


def differ(what, published, recomputed):
    differences.append(f"{what}: published {published}, recomputed {recomputed}")


def close(published, recomputed):
    return abs(Decimal(published) - recomputed) <= RELATIVE * max(abs(recomputed), Decimal(1))


def rows(folder, name):
    with open(folder / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def levels(person, variable):
    """The categories of a person in a variable; key groups overlap, one column of 1 each."""
    if variable == "key_group":
        return [name[len("key_"):] for name, value in person.items() if name.startswith("key_") and value == "1"]
    return [person[variable]] if person.get(variable) else []


def members(persons, crossing):
    """Everybody's weight and literacy by the categories of a crossing of at most two variables."""
    found = defaultdict(list)
    for person in persons:
        cells = [()]
        for variable in crossing:
            cells = [cell + (level,) for cell in cells for level in levels(person, variable)]
        for cell in cells:
            found[cell].append((person["w"], person["literate"] == "1"))
    return found


def share(people):
    total = sum((weight for weight, _ in people), Decimal(0))
    literate = sum((weight for weight, is_literate in people if is_literate), Decimal(0))
    return total, literate / total if total else None


def check_indicator(folder, persons):
    """Every share, base and population; every difference between two groups."""
    cache, checked = {}, 0
    for row in rows(folder, "indicator.csv"):
        table = row["table"]
        if table.startswith("change_"):
            continue  # the earlier wave's figures are not in these files
        names = [row["variable_1"], row["variable_2"]]
        codes = [row["level_1"], row["level_2"]]
        is_difference = table.startswith("difference_")
        crossing = tuple(name for name in (names[:1] if is_difference else names) if name)
        if crossing not in cache:
            cache[crossing] = members(persons, crossing)
        place = f"indicator.csv {table} {codes}"
        if is_difference:
            first, second = (share(cache[crossing][(code,)])[1] for code in codes)
            if row["estimate"] and not close(row["estimate"], first - second):
                differ(place, row["estimate"], first - second)
        else:
            people = cache[crossing][tuple(codes[: len(crossing)])]
            total, estimate = share(people)
            if int(row["n"]) != len(people):
                differ(f"{place} n", row["n"], len(people))
            if row["population"] and not close(row["population"], total):
                differ(f"{place} population", row["population"], total)
            if row["estimate"] and (estimate is None or not close(row["estimate"], estimate)):
                differ(f"{place} estimate", row["estimate"], estimate)
            if estimate is not None and not row["estimate"] and not row["not_estimable"]:
                differ(f"{place} estimate", "nothing", estimate)
        checked += 1
    return checked


def check_margins(folder, persons):
    """The final weights add up to the margins that they were raked to."""
    if not (folder / "margins.csv").exists():
        return 0
    margins = rows(folder, "margins.csv")
    for margin in margins:
        people = members(persons, (margin["variable"],))[(margin["level"],)]
        total = share(people)[0]
        if not abs(total - Decimal(margin["total"])) <= Decimal("1e-6") * Decimal(margin["total"]):
            differ(f"margins.csv {margin['variable']} {margin['level']}", margin["total"], total)
    return len(margins)


def check_response_rates(folder):
    """Counts and rates of the city and each district from the cases' final dispositions."""
    cases = rows(folder, "cases.csv")
    places = [("city", "")] + [("district", code) for code in sorted({case["district"] for case in cases})]
    published = rows(folder, "response_rates.csv")
    if [(row["table"], row["district"]) for row in published] != places:
        differ("response_rates.csv places", [row["district"] for row in published], places)
    groups = {
        "complete": "1.1", "partial": "1.2", "refusal": "2.1", "non_contact": "2.2", "other": "2.3",
        "unknown_household": "3.1", "not_eligible": "4.",
    }
    for row in published:
        codes = [case["disposition"] for case in cases if row["table"] == "city" or case["district"] == row["district"]]
        n = {name: Decimal(sum(code.startswith(start) for code in codes)) for name, start in groups.items()}
        n["unknown_other"] = Decimal(sum(code.startswith("3.") for code in codes)) - n["unknown_household"]
        n["cases"] = Decimal(len(codes))
        n["planned"] = Decimal(sum(not case["reserve_rank"] for case in cases if row["table"] == "city" or case["district"] == row["district"]))
        for name, count in n.items():
            if Decimal(row[name]) != count:
                differ(f"response_rates.csv {row['district']} {name}", row[name], count)
        eligible = n["complete"] + n["partial"] + n["refusal"] + n["non_contact"] + n["other"]
        unknown, reached = n["unknown_household"] + n["unknown_other"], eligible - n["non_contact"]
        known = eligible + n["not_eligible"]
        e = eligible / known if known else None
        over = [
            ("e", eligible, known), ("rr1", n["complete"], eligible + unknown), ("ref1", n["refusal"], eligible + unknown),
            ("con1", reached, eligible + unknown), ("coop1", n["complete"], reached),
            ("completion", n["complete"] + n["partial"], Decimal(row["planned"])),
        ]
        if e is not None or not unknown:
            over.append(("rr3", n["complete"], eligible + (e * unknown if unknown else 0)))
        for name, part, whole in over:
            rate = part / whole if whole else None
            if (row[name] == "") != (rate is None) or (rate is not None and not close(row[name], rate)):
                differ(f"response_rates.csv {row['district']} {name}", row[name], rate)
    return len(published)


def check_scores(folder, persons):
    """Mean score, dimensions, tiers and bands of the score."""
    published = rows(folder, "scores.csv")
    total = sum((person["w"] for person in persons), Decimal(0))
    tiers = [row["level"] for row in published if row["table"] == "tier"]
    maximum = Decimal(next(row["maximum"] for row in published if row["table"] == "score"))
    bands = [row["level"] for row in published if row["table"] == "score_band"]

    def mean(column):
        return sum((person["w"] * Decimal(person[column]) for person in persons), Decimal(0)) / total

    def share(is_in):
        return sum((person["w"] for person in persons if is_in(person)), Decimal(0)) / total

    def band_of(person):
        return min(int(Decimal(person["score"]) * len(bands) / maximum), len(bands) - 1)

    for row in published:
        table, level = row["table"], row["level"]
        if table == "score":
            recomputed = mean("score")
        elif table == "dimension":
            recomputed = mean(f"score_{level}")
        elif table == "tier":
            reached = set(tiers[tiers.index(level):])
            recomputed = share(lambda person: person["tier"] in reached)
        else:
            recomputed = share(lambda person: band_of(person) == int(level))
        if int(row["n"]) != len(persons):
            differ(f"scores.csv {table} {level} n", row["n"], len(persons))
        if row["estimate"] and not close(row["estimate"], recomputed):
            differ(f"scores.csv {table} {level}", row["estimate"], recomputed)
    return len(published)


def check_items(folder, persons):
    """Shares of the items that count, from the answers as codes and the questionnaire's keys; and their discrimination."""
    questionnaire = json.loads((folder / "questionnaire.json").read_bytes())
    known = {item["id"]: item for section in questionnaire["sections"] for item in section["items"]}
    answers = {row["id"]: row for row in rows(folder, "answers.csv")}
    published = rows(folder, "items.csv")
    for row in published:
        item = known[row["item"]]
        asked = []
        for person in persons:
            cell = answers[person["id"]][row["item"]]
            if cell in ("", ":irrelevant", ":not_asked", ":not_reached", ":not_applicable"):
                continue
            chosen = sorted(cell.split(" ")) == sorted(item["key"]) if item["type"] == "multiple_choice" else cell in item["key"]
            asked.append((person["w"], chosen, cell, Decimal(person["score"])))
        total = sum((weight for weight, _, _, _ in asked), Decimal(0))
        shares = {
            "right": sum((weight for weight, right, _, _ in asked if right), Decimal(0)),
            "dont_know": sum((weight for weight, _, cell, _ in asked if cell == ":dont_know"), Decimal(0)),
            "refused": sum((weight for weight, _, cell, _ in asked if cell == ":refused"), Decimal(0)),
        }
        if int(row["n"]) != len(asked):
            differ(f"items.csv {row['item']} n", row["n"], len(asked))
        for name, part in shares.items():
            if asked and not close(row[name], part / total):
                differ(f"items.csv {row['item']} {name}", row[name], part / total)
        points = Decimal(str(item["points"]))
        pairs = [(weight, Decimal(right), score - points * right) for weight, right, _, score in asked]
        found = correlation(pairs, total) if pairs else None
        if (row["discrimination"] == "") != (found is None) or (found is not None and not close(row["discrimination"], found)):
            differ(f"items.csv {row['item']} discrimination", row["discrimination"], found)
    return len(published)


def correlation(pairs, total):
    """Pearson's, with weights; nothing where one side does not vary."""
    mean_x = sum((weight * x for weight, x, _ in pairs), Decimal(0)) / total
    mean_y = sum((weight * y for weight, _, y in pairs), Decimal(0)) / total
    xx = sum((weight * (x - mean_x) ** 2 for weight, x, _ in pairs), Decimal(0))
    yy = sum((weight * (y - mean_y) ** 2 for weight, _, y in pairs), Decimal(0))
    xy = sum((weight * (x - mean_x) * (y - mean_y) for weight, x, y in pairs), Decimal(0))
    return xy / (xx * yy).sqrt() if xx and yy else None


def check_manifest(folder, responses, persons):
    """Digests, sizes, counts and control totals of the manifest."""
    statement = json.loads(base64.b64decode(json.loads((folder / "manifest.dsse.json").read_bytes())["payload"]))
    listed = {subject["name"]: subject for subject in statement["subject"]}
    present = {path.name for path in folder.iterdir()} - {"manifest.dsse.json"}
    if present != set(listed):
        differ("the folder's files", sorted(listed), sorted(present))
    for name in present & set(listed):
        content = (folder / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        if digest != listed[name]["digest"]["sha256"] or len(content) != listed[name]["annotations"]["bytes"]:
            differ(f"{name} SHA-256", listed[name]["digest"]["sha256"], digest)
    predicate = statement["predicate"]
    counts, totals = predicate["counts"], predicate["controlTotals"]
    if (counts["responses"], counts["used"]) != (len(responses), len(persons)):
        differ("counts", counts, (len(responses), len(persons)))
    exact = {
        "weight": sum((person["w"] for person in persons), Decimal(0)),
        "weightTimesScore": sum((person["w"] * Decimal(person["score"]) for person in persons), Decimal(0)),
        "weightOfLiterate": sum((person["w"] for person in persons if person["literate"] == "1"), Decimal(0)),
    }
    for name, total in exact.items():
        if Decimal(totals[name]) != total:
            differ(f"control total {name}", totals[name], total)
    return len(listed)


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    folder = Path(sys.argv[1])
    try:
        responses = rows(folder, "responses_weighted.csv")
        persons = [dict(row, w=Decimal(row["weight"])) for row in responses if row["weight"]]
        files = check_manifest(folder, responses, persons)
        places = check_response_rates(folder)
        scores, items = check_scores(folder, persons), check_items(folder, persons)
        figures, margins = check_indicator(folder, persons), check_margins(folder, persons)
    except (OSError, ValueError, KeyError, ArithmeticError) as error:
        print(f"无法读取 cannot be read: {error!r}")
        return 2
    for difference in differences:
        print(difference)
    if differences:
        print(f"不一致 {len(differences)} 处 differences")
        return 1
    print(f"一致 agrees: {figures} rows of indicator.csv, {places} of response_rates.csv, {scores} of scores.csv, {items} of items.csv, {margins} margins, {files} files, {len(persons)} persons")
    return 0


if __name__ == "__main__":
    sys.exit(main())
