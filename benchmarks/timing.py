"""Medians of rounds in which everybody runs in turn."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

BLOCK = 0.02  # seconds that one turn takes at least
REST = 0.12  # between turns: the threads of some pools, NumPy's BLAS among them, spin for 0.1 s after their last call


class Time(NamedTuple):
    """Microseconds of one step: the median of the rounds, and where half of them lie."""

    median: float
    low: float
    high: float


def in_turn(
    calls: dict[str, Callable[[int], Any]], finish: dict[str, Callable[[Any], Any]], batches: int, seconds: float
) -> dict[str, Time]:
    """Time calls in turn, for about so many seconds in all."""
    repeats = {name: _repeats(call, finish[name], batches) for name, call in calls.items()}
    took: dict[str, list[float]] = {name: [] for name in calls}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(next(iter(took.values()))) < 5:
        for name, call in calls.items():
            if len(os.sched_getaffinity(0)) > 1:
                time.sleep(REST)
            for i in range(max(1, repeats[name] // 2)):  # wakes threads, and brings data back into the caches
                last = call(i % batches)
            finish[name](last)
            start = time.perf_counter()
            for i in range(repeats[name]):
                last = call(i % batches)
            finish[name](last)
            took[name].append((time.perf_counter() - start) / repeats[name] * 1e6)
    return {name: _summary(times) for name, times in took.items()}


def _repeats(call: Callable[[int], Any], finish: Callable[[Any], Any], batches: int) -> int:
    for i in range(2 * batches if _once(call, finish) < 0.01 else 1):
        finish(call(i % batches))
    return max(1, int(BLOCK / min(_once(call, finish) for _ in range(3))))


def _once(call: Callable[[int], Any], finish: Callable[[Any], Any]) -> float:
    start = time.perf_counter()
    finish(call(0))
    return time.perf_counter() - start


def _summary(times: list[float]) -> Time:
    low, _, high = statistics.quantiles(times, n=4)
    return Time(statistics.median(times), low, high)
