"""An autoencoder squeezes digits of 64 pixels into 6 numbers and draws them again; beside it the best linear one."""

import numpy as np

import pynet

CODES = 6


def drawn(pixels):
    """A digit in characters."""
    levels = (pixels.reshape(8, 8).clip(0, 0.999) * 6).astype(int)
    return ["".join(" .:oO@"[level] * 2 for level in row) for row in levels]


np.random.seed(0)
X, y = pynet.data.load_digits()
X = X / 16
train, test = pynet.data.train_test_split(X, test_size=0.2, seed=0)

encoder = pynet.Sequential(pynet.Linear(64, 64), pynet.GELU(), pynet.Linear(64, CODES))
decoder = pynet.Sequential(pynet.Linear(CODES, 64), pynet.GELU(), pynet.Linear(64, 64), pynet.Sigmoid())
model = pynet.Sequential(encoder, decoder)
trainer = pynet.Trainer(model, pynet.MSELoss(), pynet.optim.Adam(model, lr=3e-3))
trainer.fit(train, train, epochs=120, batch_size=64)

mean = train.mean(axis=0)
directions = np.linalg.svd(train - mean, full_matrices=False)[2][:CODES]
linear = mean + (test - mean) @ directions.T @ directions
print(f"squared error of {CODES} linear codes: {np.mean((linear - test) ** 2):.4f}")
print(f"squared error of the autoencoder: {trainer.evaluate(test, test)['loss']:.4f}")

again = decoder(encoder(test[:4]))
for lines in zip(*map(drawn, test[:4]), strict=True):
    print("   ".join(lines))
print()
for lines in zip(*map(drawn, again), strict=True):
    print("   ".join(lines))
