"""What a whole process shows: overhead of the Trainer, threads and processes beside each other, memory, imports."""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"

# Each prints one line of JSON; see the files.
NAMES = ("trainer", "many_threads", "four_processes", "beside_numpy", "memory", "aged_momentum")
# What is imported, and the packages that it brings beside NumPy.
IMPORTS = {
    "numpy": ("numpy",),
    "pynet": ("pynet",),
    "torch": ("torch",),
    "jax": ("jax", "jaxlib", "scipy"),
    "sklearn.neural_network": ("scikit-learn", "scipy"),
    "onnxruntime": ("onnxruntime",),
}


def measure(quick: bool) -> dict[str, Any]:
    """Run each script in a process of its own."""
    found: dict[str, Any] = {}
    for name in NAMES:
        found[name] = output_of(str(SCRIPTS / f"{name}.py"), "quick" if quick else "full")
        print(f"{name}: {found[name]}", flush=True)
    found["imports"] = {name: _imported(name, packages) for name, packages in IMPORTS.items()}
    return found


def output_of(*arguments: str) -> Any:
    """Run Python with these arguments, and return what its last line says in JSON."""
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, cwd=HERE)
    return json.loads(done.stdout.splitlines()[-1])


def _imported(name: str, packages: tuple[str, ...]) -> dict[str, float] | None:
    """Return milliseconds and megabytes that an import takes, medians over seven processes, and the size on disk."""
    code = (
        "import json, resource, time; start = time.perf_counter()\n"
        f"try:\n    import {name}\nexcept ImportError:\n    print('null'); raise SystemExit\n"
        "took = time.perf_counter() - start\n"
        "print(json.dumps([took * 1e3, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))"
    )
    rounds = [output_of("-c", code) for _ in range(7)]
    if rounds[0] is None:
        return None
    files = [Path(str(file.locate())) for package in packages for file in importlib.metadata.files(package) or []]
    return {
        "milliseconds": sorted(r[0] for r in rounds)[3],
        "megabytes": sorted(r[1] for r in rounds)[3],
        "installed": sum(file.stat().st_size for file in files if file.is_file()) / 1e6,
    }
