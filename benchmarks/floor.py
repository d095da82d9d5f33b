"""How fast a step could be at most on this machine: peak and bandwidth, measured in the same run."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import cells


def measure(threads: int) -> dict[str, Any] | None:
    """Compile floor.cpp for this machine, run it, and return what it says; None where there is no compiler."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "floor")
        source = str(Path(__file__).with_name("floor.cpp"))
        flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-std=c++17", "-pthread"]
        subprocess.run([compiler, *flags, source, "-o", program], check=True)
        found: dict[str, Any] = json.loads(
            subprocess.run([program, str(threads)], check=True, capture_output=True).stdout
        )
    return found


def bandwidth(cell: cells.Cell, training: bool, machine: dict[str, Any]) -> float:
    """Return GB/s of the smallest of the measured sizes that holds what the cell keeps."""
    size = cell.kept(training) / 1024
    fitting = [speed for kilobytes, speed in machine["update"].items() if float(kilobytes) >= size]
    return float((fitting or list(machine["update"].values())[-1:])[0])


def seconds(cell: cells.Cell, training: bool, machine: dict[str, Any]) -> float:
    """Return the larger of operations over peak and bytes over bandwidth."""
    peak = machine["gflops"] * (0.5 if cell.dtype == "float64" else 1.0)
    return max(cell.operations(training) / peak, cell.bytes(training) / bandwidth(cell, training, machine)) * 1e-9
