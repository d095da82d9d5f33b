"""Write docs/accuracy.md: the largest error of every kernel, with PyTorch's and NumPy's on the same inputs beside it.

`nox -s accuracy`. The rows, their limits and the exact references are those of tests/numbers.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent / "tests" / "numbers"))

from exact import largest_error, long_double, many_digits  # noqa: E402
from kernels_exactly import SUBJECTS, Row  # noqa: E402

import pynet  # noqa: E402

SAMPLES = {np.float32: 200_000, np.float64: 4_000}  # float64 has references of 120 bits

INTRODUCTION = """\
# Accuracy

The largest error that was found, in units of the last place (ULP) of the correctly rounded result: 0.5 is the least
that rounding allows. Where the result is a difference or a long sum, whose own size says nothing, the unit is
u = 2⁻²⁴ (float32) or 2⁻⁵³ (float64) times the sum of the magnitudes of its terms. `∞`: an infinity or NaN where there
is a number.

pynet {pynet} on {isa}, PyTorch {torch}, NumPy {numpy}, all on the same inputs, {float32:,} numbers in float32 and
{float64:,} in float64 per kind of input and number of classes (2, 10, 101 and 1,000); sums over a batch are of 10,000
rows or more. The references are long double for float32, mpmath with 120 bits for float64. NumPy's column is the
formula as one writes it in NumPy. `nox -s accuracy` writes this page; `tests/numbers/test_accuracy.py` holds the limits
in every test run, and `tests/cpp/test_every_float.cpp` those of exp, log, tanh and sigmoid for all 2³² float32 inputs.
"""


def error(function: Any, arrays: Any, exact: Any, scale: Any) -> float | None:
    """Return the largest error of a function's results."""
    if function is None:
        return None
    with np.errstate(all="ignore"):
        got = function(*arrays)
    return largest_error(np.asarray(got), exact, scale)


def errors(row: Row, dtype: type[np.floating[Any]]) -> list[float | None]:
    """Return pynet's, PyTorch's and NumPy's largest error."""
    m = long_double(dtype) if dtype == np.float32 else many_digits(dtype)
    arrays = row.make(np.random.default_rng(0), SAMPLES[dtype], dtype)
    numbers = [m.number(a) if a.dtype == dtype else a for a in arrays]
    exact = row.exact(m, *numbers)
    scale = None if row.scale is None else row.scale(m, *numbers).astype(np.float64)

    def theirs(*arrays):
        return row.torch(torch, *map(torch.tensor, arrays)).detach().numpy()

    return [error(f, arrays, exact, scale) for f in (row.pynet, row.torch and theirs, row.numpy)]


def measured(rows: list[Row]) -> dict[tuple[str, str, str], list[float | None]]:
    """Return the largest errors by kernel, inputs and unit, float32 before float64; rows of one name together."""
    table: dict[tuple[str, str, str], list[float | None]] = {}
    for row in rows:
        found = [e for dtype in SAMPLES for e in errors(row, dtype)] + list(row.limits)
        name = row.kernel, row.inputs, row.unit
        before = table.get(name, found)
        table[name] = [None if a is None or b is None else max(a, b) for a, b in zip(before, found, strict=True)]
        print(*name, table[name], flush=True)
    return table


def text(value: float | None) -> str:
    """Return a cell."""
    if value is None:
        return ""
    return "∞" if np.isinf(value) else f"{value:.2f}" if value < 1000 else f"{value:.1e}"


def table(rows: list[Row]) -> list[str]:
    """Return the lines of the table of some rows."""
    lines = ["| kernel | inputs | unit | " + " | ".join(HEAD) + " |", "|" + "---|" * (3 + len(HEAD))]
    for name, (*found, limit32, limit64) in measured(rows).items():
        cells = [*map(text, found[:3]), f"{limit32:g}", *map(text, found[3:]), f"{limit64:g}"]
        lines.append("| " + " | ".join([*(part.replace("|", r"\|") for part in name), *cells]) + " |")
    return lines


def main() -> None:
    """Measure, and write the page."""
    torch.set_num_threads(1)
    isa = pynet.show_config().splitlines()[1].split()[2]
    versions = {"pynet": pynet.__version__, "torch": torch.__version__, "numpy": np.__version__, "isa": isa}
    sizes = {dtype.__name__: size for dtype, size in SAMPLES.items()}
    lines = [INTRODUCTION.format(**versions, **sizes)]
    for subject, rows in SUBJECTS.items():
        lines += [f"## {subject}", "", *table(rows), ""]
    (FOLDER / "accuracy.md").write_text("\n".join(lines))


HEAD = [f"{what}, {dtype.__name__}" for dtype in SAMPLES for what in ("pynet", "PyTorch", "NumPy", "limit")]

if __name__ == "__main__":
    main()
