"""Seconds to the same test accuracy: MLPClassifier of pynet beside scikit-learn's, in turn within one process.

`python benchmarks/sklearn_fit.py [quick]`, or as a part of `nox -s bench`. Both get the same rows, arguments and random
states. How many epochs an estimator needs for the accuracy on the test part is found first; then one `fit` of so many
is timed. Prints a table, and the figures as JSON.
"""

import json
import statistics
import sys
import time
import warnings
from typing import Any

import numpy as np
import report
import timing
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import pynet.sklearn

PEERS = {"pynet": pynet.sklearn.MLPClassifier, "sklearn_mlp": neural_network.MLPClassifier}
MOST_EPOCHS = 300
# Data, dtype, accuracy to reach, arguments of both: the default ones, and a smaller network with smaller batches.
SMALL = {"hidden_layer_sizes": (32,), "batch_size": 32}
TASKS = [
    ("digits", "float64", 0.96, {}),
    ("digits", "float32", 0.96, {}),
    ("digits", "float64", 0.96, SMALL),
    ("breast cancer", "float64", 0.95, {}),
    ("breast cancer", "float32", 0.95, {}),
    ("breast cancer", "float64", 0.95, SMALL),
]


def main() -> None:
    """Measure, and print."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rounds = 3 if sys.argv[1:] == ["quick"] else 15
    rows = [_row(*task, rounds) for task in TASKS]
    print(report.fit_table(rows))
    print(json.dumps(rows))


def _row(name: str, dtype: str, accuracy: float, arguments: dict[str, Any], rounds: int) -> dict[str, Any]:
    data = _data(name, dtype)
    seconds: dict[str, list[float]] = {peer: [] for peer in PEERS}
    epochs: dict[str, list[int]] = {peer: [] for peer in PEERS}
    for seed in range(rounds):
        for peer, estimator in PEERS.items():
            needed = _epochs_to(accuracy, estimator(random_state=_state(seed), **arguments), data)
            # scikit-learn's fit takes rows in other orders than its partial_fit, and may need some epochs more.
            for count in range(needed, MOST_EPOCHS):
                made = estimator(random_state=_state(seed), max_iter=count, n_iter_no_change=MOST_EPOCHS, **arguments)
                time.sleep(timing.REST)
                start = time.perf_counter()
                made.fit(data[0], data[2])
                took = time.perf_counter() - start
                if made.score(data[1], data[3]) >= accuracy:
                    break
            seconds[peer].append(took)
            epochs[peer].append(count)
    pairs = zip(seconds["pynet"], seconds["sklearn_mlp"], strict=True)
    return {
        "data": name,
        "dtype": dtype,
        "accuracy": accuracy,
        "arguments": ", ".join(f"{key}={value}" for key, value in arguments.items()) or "default",
        "seconds": {peer: statistics.median(times) for peer, times in seconds.items()},
        "epochs": {peer: statistics.median(counts) for peer, counts in epochs.items()},
        "ratio": statistics.median(theirs / ours for ours, theirs in pairs),
    }


def _state(seed: int) -> np.random.RandomState:
    """Return an object, not a number: from a number scikit-learn's partial_fit would draw the same order each time."""
    return np.random.RandomState(seed)


def _data(name: str, dtype: str) -> list[np.ndarray]:
    load = datasets.load_digits if name == "digits" else datasets.load_breast_cancer
    X, y = load(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    scaler = StandardScaler().fit(X_train)
    return [scaler.transform(X_train).astype(dtype), scaler.transform(X_test).astype(dtype), y_train, y_test]


def _epochs_to(accuracy: float, estimator: Any, data: list[np.ndarray]) -> int:
    X_train, X_test, y_train, y_test = data
    for epoch in range(1, MOST_EPOCHS + 1):
        estimator.partial_fit(X_train, y_train, classes=np.unique(y_train))
        if estimator.score(X_test, y_test) >= accuracy:
            return epoch
    raise SystemExit(f"{type(estimator).__module__} does not reach {accuracy} in {MOST_EPOCHS} epochs")


if __name__ == "__main__":
    main()
