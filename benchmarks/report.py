"""What was measured, as a page, and as a plot."""

import datetime
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

import cells
import peers


def about() -> dict[str, Any]:
    """Return machine and versions."""
    model = next((line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")), "unknown")
    packages = ("pynet", "numpy", "torch", "jax", "scikit-learn", "onnxruntime")
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": model,
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
    }


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def best_peer(times: dict[str, list[float]]) -> tuple[str, float]:
    """Return the fastest of those that are not pynet, and its median."""
    return min(((name, t[0]) for name, t in times.items() if not name.startswith("pynet")), key=lambda pair: pair[1])


def markdown(results: dict[str, Any]) -> str:
    """Return the page."""
    info = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in info["versions"].items())
    parts = [
        "# Results",
        f"Written by `nox -s bench` on {info['date']}: {info['cpu']}, Python {info['python']}, {versions}.",
        _METHOD,
        "![time of the best peer over that of pynet](results.png)",
    ]
    for run in results["runs"]:
        parts += _run(run)
    parts += _processes(results["processes"])
    if "fit" in results:
        parts += ["## Time to an accuracy", _FIT, fit_table(results["fit"])]
    if "growth" in results:
        parts.append(_GROWTH)
    return "\n\n".join(parts) + "\n"


_METHOD = """Microseconds of one training step (with CrossEntropyLoss) or one prediction, in float32 unless said: the
median of rounds in which everybody runs in turn, and in brackets the quartiles for pynet. Ratio: the best peer over
pynet; above 1 pynet is faster. Floor: the larger of operations over peak and bytes over bandwidth, both measured in the
same run, as a share of pynet's time. Before anything is timed, all compute the same, without Dropout: ten losses and
all weights within 1e-4 of NumPy; with Adam weights within half a step, in the mean, and losses within 1e-2.

Eight different batches take turns, since velocities of what never gets a gradient decay into denormal numbers, which
make NumPy and PyTorch several times slower on one repeated batch (see the last table); pynet flushes them. pynet
predicts from frozen weights. torch.compile takes part in large cells only (at small sizes it is slower than eager), JAX
not in float64, for which a process has to be switched. scikit-learn trains on eight batches per call and returns
probabilities."""


_GROWTH = """## Growth

One training step with all threads, each point in a process of its own. Memory is the peak beyond what importing took;
pynet's holds a copy of the model besides, for frozen prediction.

![time per row and memory against batch and width](growth.png)"""


_FIT = """`pynet.sklearn.MLPClassifier` and scikit-learn's, with the same rows, arguments and random states: one `fit`
of as many epochs as take each to that accuracy on rows that it has not seen, in turn; medians over random states, and
the median of their ratios."""


def fit_table(rows: list[dict[str, Any]]) -> str:
    """Return what it takes two estimators to come to the same accuracy."""
    names = ("pynet", "sklearn_mlp")
    head = ["data, dtype", "arguments", "accuracy", *(f"{peers.TITLES[name]}, ms (epochs)" for name in names), "ratio"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        times = [f"{row['seconds'][name] * 1e3:.1f} ({row['epochs'][name]:.0f})" for name in names]
        about = [f"{row['data']}, {row['dtype']}", row["arguments"], str(row["accuracy"])]
        lines.append(_line([*about, *times, f"**{row['ratio']:.1f}**"]))
    return "\n".join(lines)


def _run(run: dict[str, Any]) -> list[str]:
    threads = run["threads"]
    title = f"## {threads} thread{'s' if threads > 1 else ''}"
    machine = run["machine"]
    if machine:
        bandwidths = ", ".join(
            f"{int(size) // 1024 or size + ' K'}{' M' if int(size) >= 1024 else ''}B: {speed:.0f}"
            for size, speed in machine["update"].items()
        )
        text = (
            f"Peak {machine['gflops']:.0f} GFLOP/s; an update of weights moves, in GB/s by what is worked on, "
            f"{bandwidths}."
        )
    else:
        text = "There was no compiler to measure peak and bandwidth with."
    parts = [title, text]
    rows = {row["name"]: row for row in run["cells"]}
    for group, members in cells.GROUPS.items():
        for kind, heading in (("train", "training"), ("predict", "prediction")):
            measured = [rows[cell.name] for cell in members if kind in rows.get(cell.name, {})]
            if measured:
                count = f"{threads} thread{'s' if threads > 1 else ''}"
                parts += [f"### {group}: {heading}, {count}", _table(measured, kind)]
    return parts


def _table(rows: list[dict[str, Any]], kind: str) -> str:
    names = [name for name in peers.NAMES if any(name in row[kind] for row in rows)]
    head = ["model, batch", *(peers.TITLES[name] for name in names), "ratio", "floor"]
    lines = [_line(head), _line(["---"] * len(head))]
    for row in rows:
        times = row[kind]
        figures = [_time(times[name], name == "pynet") if name in times else "" for name in names]
        ratio = best_peer(times)[1] / times["pynet"][0]
        floor = row[f"{kind}_floor"]
        share = "" if floor is None else f"{floor / times['pynet'][0]:.2f}"
        lines.append(_line([f"{row['model']}, {row['batch']}", *figures, f"**{ratio:.2f}**", share]))
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _time(time: list[float], spread: bool) -> str:
    def short(value: float) -> str:
        return f"{value:.1f}" if value < 100 else f"{value:.0f}"

    return f"{short(time[0])} ({short(time[1])}-{short(time[2])})" if spread else short(time[0])


def _processes(found: dict[str, Any]) -> list[str]:
    trainer, many, four = found["trainer"], found["many_threads"], found["four_processes"]
    beside, memory = found["beside_numpy"], found["memory"]
    lines = [
        f"- `Trainer.fit` takes {trainer['fit_us']:.1f} µs per batch at (tiny, 32), "
        f"the bare step {trainer['bare_us']:.1f}.",
        *(
            f"- 64 threads asked for: {times['64']:.1f} µs per step at ({cell.replace(' ', ', ')}), "
            f"1 thread {times['1']:.1f}."
            for cell, times in many.items()
        ),
        f"- Four processes that train at once take {four['at_once'] / four['one_after_another']:.2f} times what they "
        "take one after another (notebook, 32).",
        f"- A step and a product of NumPy's in turn take {beside['ratio']:.2f} times what each takes by itself.",
        f"- {memory['steps']} steps after warm-up: memory grows by {memory['growth_kb']} KB, "
        f"{memory['faults_per_step']:.3f} page faults per step.",
    ]
    imports = [_line(["import", "milliseconds", "peak memory, MB", "on disk, MB"]), _line(["---"] * 4)]
    for name, cost in found["imports"].items():
        if cost is not None:
            figures = [f"{cost[key]:.0f}" for key in ("milliseconds", "megabytes", "installed")]
            imports.append(_line([f"`{name}`", *figures]))
    aged = [_line(["notebook, 1, one batch again and again", "fresh, µs", "after 2,500 steps, µs"]), _line(["---"] * 3)]
    for name, cost in found["aged_momentum"].items():
        aged.append(_line([peers.TITLES[name], f"{cost['fresh_us']:.1f}", f"{cost['aged_us']:.1f}"]))
    return ["## Processes", "\n".join(lines), "\n".join(imports), "## Aged momentum", "\n".join(aged)]


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw the ratios to the best peer, of the run with all threads."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = [row for row in results["runs"][-1]["cells"] if row["optimizer"] == "sgd" and row["dtype"] == "float32"]
    figure, axes = plt.subplots(figsize=(10, 4.2), layout="constrained")
    for offset, (kind, title) in enumerate((("train", "training"), ("predict", "prediction"))):
        ratios = [best_peer(row[kind])[1] / row[kind]["pynet"][0] for row in rows]
        axes.bar([i + 0.38 * offset - 0.19 for i in range(len(rows))], ratios, 0.36, label=title)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.set_xticks(range(len(rows)), [f"{row['model']}\n{row['batch']}" for row in rows], fontsize=8)
    axes.set_ylabel("time of the best peer / time of pynet")
    axes.set_title(f"{results['runs'][-1]['threads']} threads: above 1 pynet is faster")
    axes.legend()
    figure.savefig(path, dpi=120)
