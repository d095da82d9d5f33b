"""Compare pynet with its peers: `nox -s bench`, or `python benchmarks [--quick]` where the peers are installed."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cells
import floor_page
import growth
import peers
import processes
import report

HERE = Path(__file__).parent


def main() -> None:
    """Run everything and write the results."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small cells, few rounds, no torch.compile: three minutes")
    parser.add_argument("--output", type=Path, default=None, help="folder for results (default: here; --quick: none)")
    parser.add_argument("--cells", nargs="*", default=None, help="only these, as tiny:32 or wide:32:adam")
    parser.add_argument("--pages", action="store_true", help="measure nothing: write the pages from results.json anew")
    options = parser.parse_args()
    folder = options.output or (None if options.quick or options.cells else HERE)
    results = json.loads((HERE / "results.json").read_text()) if options.pages else _measure(options)
    if folder is None:
        print(report.markdown(results))
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "RESULTS.md").write_text(report.markdown(results))
    (folder / "FLOOR.md").write_text(floor_page.page(results))
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    report.plot(results, folder / "results.png")
    if "growth" in results:
        growth.plot(results["growth"], folder / "growth.png")
    print(f"written to {folder}")


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    threads = sorted({1, len(os.sched_getaffinity(0))})
    results: dict[str, Any] = {
        "about": report.about(),
        "runs": [_run(count, _settings(options)) for count in threads],
        "processes": processes.measure(quick=options.quick),
        "fit": processes.output_of(str(HERE / "sklearn_fit.py"), "quick" if options.quick else "full"),
    }
    if not options.quick and not options.cells:
        results["growth"] = growth.measure()
    return results


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    chosen = cells.SMALL if options.quick else [cell for group in cells.GROUPS.values() for cell in group]
    if options.cells:
        chosen = [cells.Cell(model, int(batch), *rest) for model, batch, *rest in (n.split(":") for n in options.cells)]
    taking_part = [name for name in peers.NAMES if not (options.quick and name == "torch_compiled")]
    return {"cells": chosen, "peers": taking_part, "seconds": 1.5 if options.quick else 5.0}


def _run(threads: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Measure in a process of its own: most libraries read the number of threads once."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "results.json"
        command = [sys.executable, str(HERE / "measure.py"), str(threads), str(output), json.dumps(settings)]
        subprocess.run(command, check=True)
        found: dict[str, Any] = json.loads(output.read_text())
    return found


if __name__ == "__main__":
    main()
