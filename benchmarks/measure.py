"""One process of the benchmark: all cells with one number of threads. Writes JSON to a file."""

import json
import os
import sys
from pathlib import Path
from typing import Any


def limit_threads(threads: int) -> None:
    """Leave so many CPUs to this process, and say so to whoever asks the environment; before anything is imported."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYNET_NUM_THREADS"):
        os.environ[name] = str(threads)


def main() -> None:
    """Read threads, names of peers, cells and seconds from the command line."""
    threads, output, settings = int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    limit_threads(threads)
    results = {"threads": threads, "machine": None, "cells": []}

    import cells
    import floor

    results["machine"] = floor.measure(threads)
    for values in settings["cells"]:
        results["cells"].append(measure(cells.Cell(*values), threads, settings, results["machine"]))
        output.write_text(json.dumps(results, indent=1))


def measure(cell: Any, threads: int, settings: dict[str, Any], machine: dict[str, Any] | None) -> dict[str, Any]:
    """Check and time one cell."""
    import agreement
    import cells
    import floor
    import peers
    import timing

    names = peers.taking_part(cell, settings["peers"])
    found = {name: peer for name in names if (peer := peers.load(name)) is not None}
    made = {name: peer(cell._replace(dropout=0.0), threads) for name, peer in found.items()}
    row: dict[str, Any] = {**cell._asdict(), "name": cell.name, "distances": agreement.check(cell, made)}
    if cell.regular:
        made = {name: peer(cell, threads) for name, peer in found.items()}
    finish = {name: peer.finish for name, peer in made.items()}
    calls = {"train": {name: peer.train for name, peer in made.items() if peer.train is not None}}
    if cell.predicts:
        calls["predict"] = {name: peer.predict for name, peer in made.items()}
    for kind, those in calls.items():
        times = timing.in_turn(those, finish, cells.BATCHES, settings["seconds"])
        steps = {name: made[name].steps if kind == "train" else 1 for name in those}
        row[kind] = {name: [value / steps[name] for value in time] for name, time in times.items()}
        row[f"{kind}_floor"] = floor.seconds(cell, kind == "train", machine) * 1e6 if machine else None
        best = min((t[0], n) for n, t in row[kind].items() if not n.startswith("pynet"))
        print(
            f"{threads} threads, {cell.name}, {kind}: pynet {row[kind]['pynet'][0]:.1f} us, "
            f"best peer {best[1]} {best[0]:.1f} us, ratio {best[0] / row[kind]['pynet'][0]:.2f}",
            flush=True,
        )
    return row


if __name__ == "__main__":
    main()
