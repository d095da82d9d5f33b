"""What the scripts share: a model of a cell, ready to be trained."""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

QUICK = sys.argv[1:] == ["quick"]


def pynet_step(model: str, batch: int) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return a compiled step of a cell's model, and its batches."""
    import cells
    from peers.pynet_peer import network, optimizer

    import pynet

    cell = cells.Cell(model, batch)
    made = network(cell)
    step = pynet.compile_step(made, pynet.CrossEntropyLoss(), optimizer(cell, made))
    return step, cells.data(cell)


def seconds_per_call(call: Callable[[int], Any], calls: int, rounds: int = 9) -> float:
    """Return the median over rounds."""
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        for i in range(calls):
            call(i)
        took.append((time.perf_counter() - start) / calls)
    return statistics.median(took)
