"""Microseconds of a step on one row that never changes, fresh and after thousands of steps, at notebook.

Momentum of what gets no gradient decays into denormal numbers, which are slow to compute with.
"""

import json
from typing import Any

import common  # isort: skip
import cells
import peers

found = {}
for name in ("numpy_by_hand", "torch_eager", "jax_jit", "pynet"):
    kind = peers.load(name)
    if kind is None:
        continue
    peer = kind(cells.Cell("notebook", 1), 1)
    peer.finish(peer.train(0))

    def call(i: int, peer: Any = peer) -> None:
        """Run a step on the same row."""
        peer.finish(peer.train(0))

    fresh = common.seconds_per_call(call, 40, 5)
    for i in range(2500):
        call(i)
    found[name] = {"fresh_us": fresh * 1e6, "aged_us": common.seconds_per_call(call, 40, 5) * 1e6}
print(json.dumps(found))
