"""Microseconds of a training step of one peer at one size, and the peak of its memory beyond what importing took."""

import json
import sys
from pathlib import Path
from typing import Any

import common  # noqa: F401  finds the modules below


def main() -> None:
    """Take peer, model, batch and threads from the command line; print JSON."""
    name, model, batch, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    import measure

    measure.limit_threads(threads)
    import cells
    import peers
    import timing

    kind = peers.load(name)
    if kind is None:
        print("null")
        return
    before = _kilobytes("VmRSS")
    peer = kind(cells.Cell(model, batch), threads)
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak that making the data had
    times = timing.in_turn({name: peer.train}, {name: peer.finish}, cells.BATCHES, 1.0)
    cost: dict[str, Any] = {"us": times[name].median, "megabytes": (_kilobytes("VmHWM") - before) / 1024}
    print(json.dumps(cost))


def _kilobytes(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line for line in lines if line.startswith(key)).split()[1])


main()
