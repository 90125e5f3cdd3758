"""scilit beside its peers, in one session on one machine: prints a table in Markdown. See README.md."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ["numpy", "scipy", "polars", "svy"]
CROSSED = ["sex", "age", "edu", "residence"]
# What one work must read and write at least, bytes a person: codes of four bytes, numbers of eight, every column once
# a table. a: five codes and the weight, the final weight written. b, b2: for each of four tables two codes of the
# domain, the unit's, the weight and y. c: as a, and the same once more for each of the four tables.
FLOOR = {"a": 36, "b": 4 * 28, "b2": 4 * 28, "c": 36 + 4 * 36}
NUMPY = {"a": "a_cells", "b": "b", "b2": "b2", "c": "c_cells"}
# Slow packages are given no more than they can do while someone waits.
LARGEST = {("svy", "a"): 1_000_000, ("svy", "b"): 100_000, ("svy", "b2"): 10_000, ("svy", "c"): 10_000,
           ("R", "a"): 100_000, ("R", "b"): 10_000, ("R", "b2"): 0, ("R", "c"): 0}


def environment(folder):
    """A virtual environment in the build folder, made once."""
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    probe = subprocess.run([python, "-c", "import " + ", ".join(PACKAGES)], capture_output=True)
    if probe.returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def finished(command, limit):
    """The JSON line that a command prints last on either stream; none when it fails or takes too long."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(f"<!-- {' '.join(map(str, command[-3:]))}: {done.stderr.strip()[-300:]} -->")
        return None
    lines = [line for line in (done.stdout + "\n" + done.stderr).splitlines() if line.startswith('{"')]
    return json.loads(lines[-1])


def built():
    """The bench `peers`, which does our side of a work in one process."""
    command = ["cargo", "bench", "--no-default-features", "--bench", "peers", "--no-run", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("target", {}).get("name") == "peers" and m.get("executable"))


def bandwidth(python):
    """Bytes a second of two threads that copy arrays larger than the caches, read and written bytes both counted."""
    program = (
        "import numpy, threading, time\n"
        "pairs = [(numpy.ones(16_000_000), numpy.zeros(16_000_000)) for _ in range(2)]\n"
        "best = 0\n"
        "for _ in range(5):\n"
        "    threads = [threading.Thread(target=numpy.copyto, args=(b, a)) for a, b in pairs]\n"
        "    start = time.perf_counter()\n"
        "    [t.start() for t in threads]; [t.join() for t in threads]\n"
        "    best = max(best, 4 * 128e6 / (time.perf_counter() - start))\n"
        "print(best)\n"
    )
    return float(subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout)


def paired(rounds, sides):
    """Alternates the sides and keeps each side's runs, so that a noisy minute hits all alike."""
    found = {name: [] for name in sides}
    for _ in range(rounds):
        for name, run in sides.items():
            result = run()
            if result is not None:
                found[name].append(result)
    return found


def seconds(runs):
    return min((run["seconds"] for run in runs), default=None)


def shown(value, digits=4):
    return "–" if value is None else f"{value:.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", help="another build's bench `peers`, an earlier one say; this tree's by default")
    parser.add_argument("--work-dir", default=ROOT / "target" / "peers", type=pathlib.Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only-numpy", action="store_true", help="leave svy and R out")
    options = parser.parse_args()
    python = environment(options.work_dir)
    binary = options.binary or built()
    rscript = shutil.which("Rscript")
    began = time.time()
    speed = bandwidth(python)
    print(f"Memory: {speed / 1e9:.1f} GB/s copied by two threads. Seconds of the work alone, best of {options.rounds} alternating rounds.\n")
    print("| work | persons | scilit | NumPy | NumPy / scilit | svy / scilit | R / scilit | scilit / floor | bytes a person above the columns |")
    print("|---|---|---|---|---|---|---|---|---|")
    notes = []
    for rows in options.rows:
        folder = options.work_dir / f"rows-{rows}"
        subprocess.run([python, "-c", f"import population; population.write({rows}, {str(folder)!r})"], cwd=HERE, check=True)
        best = {}
        for work in FLOOR:
            sides = {"scilit": lambda: finished([binary, work, folder], 600), "numpy": lambda: finished([python, HERE / "numpy_peer.py", NUMPY[work], folder], 300)}
            found = paired(options.rounds, sides)
            others = {}
            if not options.only_numpy:
                for name, command in [("svy", [python, HERE / "svy_peer.py"]), ("R", [rscript, HERE / "survey_peer.R"])]:
                    run = rows <= LARGEST[name, work] and command[0] is not None
                    result = finished([*command, work, folder], 240) if run else None
                    others[name] = result and result["seconds"]
            own, numpy = seconds(found["scilit"]), seconds(found["numpy"])
            floor = FLOOR[work] * rows / speed
            ratio = lambda other: shown(other / own, 1) if own and other else "–"
            best[work] = own
            above = max((run["above_bytes"] or 0 for run in found["scilit"]), default=0) / rows
            print(f"| {work} | {rows:,} | {shown(own)} | {shown(numpy)} | {ratio(numpy)} | {ratio(others.get('svy'))} | {ratio(others.get('R'))} | {shown(own and own / floor, 1)} | {above:.0f} |", flush=True)
        read = finished([binary, "read", folder], 600)
        notes.append(
            f"{rows:,}: b2 / b {best['b2'] / best['b']:.1f}; a replicate with its tables costs {best['c'] / 200 / (best['a'] + best['b']):.2f} of a and b; "
            f"reading {read['seconds']:.3f} s, bare scan {read['bare_s']:.3f} s, ratio {read['seconds'] / read['bare_s']:.1f}."
        )
    print("\n" + "\n".join(notes))
    print(f"\n{time.time() - began:.0f} seconds in all.")


if __name__ == "__main__":
    main()
