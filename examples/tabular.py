"""Tabular regression: categories as embeddings beside amounts, and quantiles instead of one guess.

Prices of flats, made up here: each district has a level of its own, and the larger a flat, the less certain its price.
"""

import numpy as np

import pynet

DISTRICTS, KINDS, QUANTILES = 40, 5, [0.1, 0.5, 0.9]


def flats(random, count, levels):
    """Codes and amounts in one matrix (district, kind, area, age), and prices in thousands."""
    district, kind = random.integers(0, DISTRICTS, count), random.integers(0, KINDS, count)
    area, age = random.uniform(20, 150, count), random.uniform(0, 80, count)
    price = area * levels[district] * (1 + 0.1 * kind) * np.exp(-age / 200)
    price *= np.exp(random.normal(0, 0.05 + area / 1000))
    return np.column_stack([district, kind, (area - 85) / 40, (age - 40) / 25]), price / 100


def network():
    """Each category goes through an embedding of its own; the amounts stay as they are."""
    return pynet.Sequential(
        pynet.Parallel(
            pynet.Sequential(pynet.Columns([0]), pynet.Embedding(DISTRICTS, 4), pynet.Flatten()),
            pynet.Sequential(pynet.Columns([1]), pynet.Embedding(KINDS, 2), pynet.Flatten()),
            pynet.Columns([2, 3]),
            merge="cat",
        ),
        pynet.Linear(4 + 2 + 2, 64),
        pynet.SiLU(),
        pynet.Linear(64, 64),
        pynet.SiLU(),
        pynet.Linear(64, len(QUANTILES)),
    )


np.random.seed(0)
random = np.random.default_rng(0)
levels = random.uniform(1, 5, DISTRICTS)
X, y = flats(random, 6000, levels)
X_test, y_test = flats(random, 2000, levels)

model, criterion = network(), pynet.PinballLoss(QUANTILES)
optimizer = pynet.optim.Adam(model, lr=3e-3)
trainer = pynet.Trainer(model, criterion, optimizer, [pynet.callbacks.EarlyStopping(patience=5)])
trainer.fit(X, y, epochs=30, batch_size=64, validation_split=0.1)

low, middle, high = trainer.predict(X_test).T
constant = np.broadcast_to(np.quantile(y, QUANTILES), (len(y_test), len(QUANTILES)))
loss = trainer.evaluate(X_test, y_test)["loss"]
print(f"loss: {loss:.3f}, with the same quantiles for all {criterion(constant, y_test):.3f}")
print(f"error of the median: {np.median(np.abs(middle / y_test - 1)):.1%}")
print(f"prices between the quantiles 0.1 and 0.9: {np.mean((low <= y_test) & (y_test <= high)):.3f}")
large = X_test[:, 2] > 0
small_gap, large_gap = np.mean((high - low)[~large]), np.mean((high - low)[large])
print(f"how far apart these are: {small_gap:.2f} for small flats, {large_gap:.2f} for large ones")
