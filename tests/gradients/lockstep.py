"""A model of pynet, module by module and compiled, and a peer of it, step by step beside each other."""

import copy

import numpy as np
from notebook_reference import Sequential
from notebook_training import SGD, mirror_criterion

import pynet

# A rounding error, as it has grown by the end of a network; and how far results may differ for it.
EPS = {np.float64: 1e-13, np.float32: 3e-6}
TOLERANCE = {np.float64: 1e-9, np.float32: 1e-4}
DIVERGED = 1e12
AMPLIFIES = 10  # rounding errors, so many times


class InNumpy:
    """The notebook read as NumPy, in float64."""

    def __init__(self, drawn):
        self.network = Sequential(drawn.model, EPS[drawn.dtype])
        self.criterion, self.sgd = mirror_criterion(drawn.criterion), SGD(**drawn.sgd)

    def run(self, x, y):
        """Loss, output and gradients."""
        x = x.astype(float)
        output = self.network.forward(x)
        self.network.backward(x, self.criterion.backward(output, y))
        return [self.criterion.forward(output, y), output, *self.network.all_grads()]

    def step(self):
        self.sgd.step(self.network.all_arrays(), self.network.all_grads())

    def arrays(self):
        return self.network.all_arrays()

    def take_over(self, arrays, velocities):
        """Go on from these numbers."""
        for mine, array in zip(self.arrays(), arrays, strict=True):
            mine[...] = array
        for mine, velocity in zip(self.sgd.velocity, velocities, strict=True):
            mine[...] = velocity


def by_modules(model, criterion, x, y):
    output = model.forward(x)
    loss = criterion.forward(output, y)
    model.backward(x, criterion.backward(output, y))
    return [loss, output, *model.grad_parameters()]


def follow(drawn, peer=InNumpy):
    """Train for all the steps, and compare after each; return for how many gradients could be compared.

    In float32, and where a network amplifies rounding errors, a step starts for all from the numbers that the modules
    have come to, so that these errors are not handed on; otherwise everybody goes on alone. Where a number lies so near
    a kink that rounding may decide its side, the peer takes the modules' side; the compiled step, which does not say,
    goes on from the modules' numbers. A network that diverges is followed for as long as float32 has room for it.
    """
    model, twin = drawn.model, copy.deepcopy(drawn.model)
    optimizer, own = pynet.optim.SGD(model, **drawn.sgd), pynet.optim.SGD(twin, **drawn.sgd)
    step = pynet.compile_step(twin, copy.copy(drawn.criterion), own)
    assert step.compiled == drawn.can_be_compiled, step.reason
    judge = InNumpy(drawn)
    other = judge if peer is InNumpy else peer(drawn)
    compared = 0
    for number, (x, y) in enumerate(drawn.batches):
        np.random.seed(number)
        ours = [np.copy(array) for array in by_modules(model, drawn.criterion, x, y)]
        np.random.seed(number)
        compiled = [step(x, y, gradients=True), step.output, *twin.grad_parameters()]
        want = judge.run(x, y)
        near, allowed = judge.network.near_a_kink(), TOLERANCE[drawn.dtype] * judge.network.worst
        if other is not judge:
            want, allowed = other.run(x, y), 2 * allowed  # it rounds as well
        if not abs(want[0]) < DIVERGED:
            break
        for found, who in ((ours, "modules"), (compiled, "compiled")):
            takes_its_side = found is ours and other is judge
            require_results(found, want, allowed, takes_its_side or not near, f"step {number}, {who}")
        compared += not near
        for mover in {id(mover): mover for mover in (optimizer, other, judge)}.values():
            mover.step()
        for mover in (model, twin):
            for got, array in zip(mover.parameters(), other.arrays(), strict=True):
                if not near:
                    require_close(got, array, allowed * max(1, np.abs(array).max(initial=0)), f"after step {number}")
        if near or drawn.dtype == np.float32 or judge.network.worst > AMPLIFIES:
            agree(model, optimizer, twin, own, {other, judge})
    return compared


def require_results(got, want, allowed, gradients, where):
    """Loss and output by their own size, gradients by that of the largest of them."""
    size = max((np.abs(array).max(initial=0) for array in want[2:]), default=0)
    scales = [max(1, abs(want[0])), max(1, np.abs(want[1]).max(initial=0)), *[max(size, 0.01)] * (len(want) - 2)]
    for place, (a, b, scale) in enumerate(zip(got, want, scales, strict=True)):
        if place < 2 or gradients:
            require_close(a, b, allowed * scale, f"{where}, array {place}")


def require_close(got, want, far, where):
    assert np.shape(got) == np.shape(want), where
    off = np.max(np.abs(np.subtract(got, want, dtype=float)), initial=0)
    assert off <= far, f"{where}: differs by {off:.3g}, allowed {far:.3g}"


def velocities_of(optimizer, model):
    state = optimizer.state_dict()["state"]
    zeros = [np.zeros_like(array) for array in model.parameters()]
    names = [name for name, _ in model.named_parameters()]
    return [state[name].get("momentum_buffer", zero) for name, zero in zip(names, zeros, strict=True)]


def agree(model, optimizer, twin, own, peers):
    twin.load_state_dict(model.state_dict())
    own.load_state_dict(optimizer.state_dict())
    for peer in peers:
        peer.take_over(model.parameters(), velocities_of(optimizer, model))
