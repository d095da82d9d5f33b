"""How cost grows with the batch and with the width: one process per peer and size, so that its memory is its own."""

import os
from pathlib import Path
from typing import Any

import peers
import processes

WHO = ("pynet", "numpy_by_hand", "torch_eager", "jax_jit")
BATCHES = (1, 4, 16, 64, 256, 1024, 4096, 16384)  # of the notebook's model
WIDTHS = (16, 64, 256, 1024, 2048, 4096)  # of two hidden layers, at 64 rows


def measure() -> dict[str, Any]:
    """Return microseconds of a training step and megabytes, by size and peer, with all threads."""
    threads = len(os.sched_getaffinity(0))
    found: dict[str, Any] = {
        "batch": {str(batch): _peers("notebook", batch, threads) for batch in BATCHES},
        "width": {str(width): _peers(f"{width}-{width}-{width}-10", 64, threads) for width in WIDTHS},
    }
    print(f"growth: {found}", flush=True)
    return found


def _peers(model: str, batch: int, threads: int) -> dict[str, Any]:
    script = str(processes.SCRIPTS / "one_size.py")
    found = {name: processes.output_of(script, name, model, str(batch), str(threads)) for name in WHO}
    return {name: cost for name, cost in found.items() if cost is not None}


def plot(found: dict[str, Any], path: Path) -> None:
    """Draw time and memory against batch and width."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained", sharex="col")
    for column, (kind, label) in enumerate((("batch", "rows per batch (notebook)"), ("width", "width (64 rows)"))):
        sizes = [int(size) for size in found[kind]]
        for name in WHO:
            points = [(size, found[kind][str(size)][name]) for size in sizes if name in found[kind][str(size)]]
            if not points:
                continue
            rows = [size if kind == "batch" else 64 for size, _ in points]
            x = [size for size, _ in points]
            per_row = [cost["us"] / count for (_, cost), count in zip(points, rows, strict=True)]
            axes[0, column].plot(x, per_row, "o-", label=peers.TITLES[name])
            axes[1, column].plot(x, [cost["megabytes"] for _, cost in points], "o-", label=peers.TITLES[name])
        axes[1, column].set_xlabel(label)
        for row in (0, 1):
            axes[row, column].set_xscale("log", base=2)
            axes[row, column].set_yscale("log")
            axes[row, column].grid(alpha=0.3)
    axes[0, 0].set_ylabel("training, µs per row")
    axes[1, 0].set_ylabel("memory beyond the import, MB")
    axes[0, 0].legend()
    figure.savefig(path, dpi=120)
