# %% [markdown]
# # The course notebook, worked through with pynet
#
# Every layer is here twice: in plain NumPy, as the notebook asks of the student, and compiled, as pynet brings it. Both
# must say the same. Run it cell by cell (VS Code and Jupytext know the `# %%` marks), or whole: `python notebook.py`.

# %%
import timeit

import numpy as np

import pynet
from pynet.testing import gradcheck

np.random.seed(0)

# %% [markdown]
# ## 1. Why batches
#
# The same arithmetic, asked for in two ways. Row by row, the whole matrix B travels from memory to the processor for
# every single row; in one product, each piece of B that has arrived is used for many rows before the next is fetched.

# %%
A, B = np.random.randn(256, 2000), np.random.randn(2000, 800)


def milliseconds(compute, repeat=3):
    return 1000 * min(timeit.repeat(compute, number=1, repeat=repeat))


print("1. A (256, 2000) times B (2000, 800)")
print(f"   one row at a time  {milliseconds(lambda: np.stack([A[i] @ B for i in range(256)]), 1):7.1f} ms")
print(f"   one product        {milliseconds(lambda: A @ B):7.1f} ms")

wide = pynet.Linear(2000, 800, bias=False)
wide.W = B.T
print(f"   pynet.Linear       {milliseconds(lambda: wide.forward(A)):7.1f} ms")
np.testing.assert_allclose(wide.output, A @ B, atol=1e-9)

# %% [markdown]
# ## 2. Module
#
# A box that goes forward and backward. This is the notebook's class, and nothing in it is pynet's: whatever has these
# methods will fit beside the compiled layers. (`pynet.Module` has them too, and more: names, saving, a printed form.)


# %%
class Module:
    def __init__(self):
        self._train = True

    def forward(self, input):
        raise NotImplementedError

    def backward(self, input, grad_output):
        raise NotImplementedError

    def parameters(self):
        return []

    def grad_parameters(self):
        return []

    def train(self):
        self._train = True

    def eval(self):
        self._train = False


# %% [markdown]
# ## 3. Layers
#
# The derivative of each is a line of mathematics on paper. Linear: with Y = X Wᵀ + b, the gradients are dX = dY W,
# dW = dYᵀ X and db = the sum of dY's rows. SoftMax: dx = p (dy - Σ p dy), row by row; subtracting the largest score
# first leaves the result as it is, and keeps exp from overflowing.


# %%
class Linear(Module):
    def __init__(self, dim_in, dim_out):
        super().__init__()
        bound = 1 / np.sqrt(dim_in)
        self.W = np.random.uniform(-bound, bound, size=(dim_out, dim_in))
        self.b = np.random.uniform(-bound, bound, size=dim_out)

    def forward(self, input):
        self.output = input @ self.W.T + self.b
        return self.output

    def backward(self, input, grad_output):
        self.grad_W = grad_output.T @ input
        self.grad_b = grad_output.sum(axis=0)
        return grad_output @ self.W

    def parameters(self):
        return [self.W, self.b]

    def grad_parameters(self):
        return [self.grad_W, self.grad_b]


class ReLU(Module):
    def forward(self, input):
        self.output = np.maximum(input, 0)
        return self.output

    def backward(self, input, grad_output):
        return grad_output * (input > 0)


class LeakyReLU(Module):
    def __init__(self, slope=0.03):
        super().__init__()
        self.slope = slope

    def forward(self, input):
        self.output = np.where(input > 0, input, self.slope * input)
        return self.output

    def backward(self, input, grad_output):
        return np.where(input > 0, grad_output, self.slope * grad_output)


class SoftMax(Module):
    def forward(self, input):
        exponentials = np.exp(input - input.max(axis=1, keepdims=True))
        self.output = exponentials / exponentials.sum(axis=1, keepdims=True)
        return self.output

    def backward(self, input, grad_output):
        p = self.output
        return p * (grad_output - np.sum(p * grad_output, axis=1, keepdims=True))


# %% [markdown]
# Are they right? Two witnesses: pynet's compiled layer, made from the same random seed, and `gradcheck`, which shifts
# every input and every parameter a little and looks at what the output does.


# %%
def compare(student, compiled, x, *arguments):
    results = []
    for make in (student, compiled):
        np.random.seed(1)
        layer = make(*arguments)
        output = layer.forward(x)
        results.append([output, layer.backward(x, np.cos(output)), *layer.grad_parameters()])
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)
    report = gradcheck(student(*arguments), x)
    print(f"   {student.__name__:<9} equals pynet's; {report.checked} derivatives, off by {report.worst_error:.0e}")


x = np.random.randn(6, 5)
print("\n3. The student's layers")
compare(Linear, pynet.Linear, x, 5, 3)
compare(ReLU, pynet.ReLU, x)
compare(LeakyReLU, pynet.LeakyReLU, x)
compare(SoftMax, pynet.SoftMax, x)
print(f"   SoftMax of the scores 1000 and 1001: {SoftMax().forward(np.array([[1000.0, 1001.0]]))[0].round(3)}")

# %% [markdown]
# ## 4. Dropout
#
# While training, a share p of the numbers is silenced at random and the others grow by 1 / (1 - p), so that the mean
# stays where it was. In evaluation nothing happens.


# %%
class Dropout(Module):
    def __init__(self, p=0.5):
        super().__init__()
        self.p = p
        self.mask = None

    def forward(self, input):
        self.output = input
        if self._train:
            self.mask = np.random.binomial(1, 1 - self.p, size=input.shape) / (1 - self.p)
            self.output = input * self.mask
        return self.output

    def backward(self, input, grad_output):
        return grad_output * self.mask if self._train else grad_output


print("\n4. Dropout of a million ones")
ones = np.ones((1000, 1000))
for whose, dropout in (("mine", Dropout(0.3)), ("pynet's", pynet.Dropout(0.3))):
    trained = dropout.forward(ones)
    np.testing.assert_array_equal(dropout.backward(ones, ones), trained)  # the gradient goes where the input went
    dropout.eval()
    np.testing.assert_array_equal(dropout.forward(ones), ones)
    print(f"   {whose:<7} training: {np.mean(trained == 0):.3f} silenced, mean {trained.mean():.3f}; eval: untouched")
gradcheck(Dropout(0.3), x)

# %% [markdown]
# ## 5. Criteria
#
# A criterion ends the graph: it takes output and target, and its backward needs no `grad_output`. Both divide by the
# batch size, so a loss means the same for any batch. Cross-entropy takes probabilities and one-hot rows; of each row
# only the probability of the right answer counts. Clipping keeps the logarithm, and the gradient, finite.


# %%
class MSE(pynet.Criterion):
    def forward(self, input, target):
        self.output = np.sum((input - target) ** 2) / len(input)
        return self.output

    def backward(self, input, target):
        return 2 * (input - target) / len(input)


class CrossEntropy(pynet.Criterion):
    def forward(self, input, target):
        self.output = -np.sum(target * np.log(np.clip(input, 1e-9, 1 - 1e-9))) / len(input)
        return self.output

    def backward(self, input, target):
        return -target / np.clip(input, 1e-15, 1 - 1e-15) / len(input)


print("\n5. The student's criteria")
p, target = SoftMax().forward(x), pynet.data.one_hot([0, 3, 1, 4, 4, 2])
for mine, theirs in ((MSE(), pynet.MSE()), (CrossEntropy(), pynet.CrossEntropy())):
    np.testing.assert_allclose(mine.forward(p, target), theirs.forward(p, target), rtol=1e-12)
    np.testing.assert_allclose(mine.backward(p, target), theirs.backward(p, target), rtol=1e-12)
    gradcheck(mine, p, target)
    print(f"   {type(mine).__name__:<12} equals pynet's: {mine.output:.4f}")

# %% [markdown]
# ## 6. Sequential
#
# Forward hands every output on as the next input; backward walks back and hands the gradient on. `parameters()` is one
# flat list of the live arrays, so the student's own `sgd` moves them in place. pynet's container takes any module.

# %%
print("\n6. A student's layer between compiled ones")
np.random.seed(2)
mixed = pynet.Sequential(pynet.Linear(5, 4), LeakyReLU(), pynet.Sequential(Linear(4, 3), pynet.SoftMax()))
print(f"   parameters {[array.shape for array in mixed.parameters()]}; {gradcheck(mixed, x).checked} derivatives right")

# %% [markdown]
# ## 7. Which slope?
#
# Digits of 8 by 8 pixels. One part trains, another chooses, and the third waits until the end: who chooses by the test
# part has no test left. Slope 0 is ReLU; with slope 1 two layers are no more than one.

# %%
images, labels = pynet.data.load_digits()
X, X_test, y, y_test = pynet.data.train_test_split(images / 16, labels, test_size=0.25, stratify=labels)
X_train, X_choose, y_train, y_choose = pynet.data.train_test_split(X, y, test_size=0.25, stratify=y)


def sgd(params, grads, lr):
    for param, grad in zip(params, grads, strict=True):
        param -= lr * grad


def fit(model, X, y, epochs, lr=0.3):
    criterion = pynet.CrossEntropy()
    model.train()
    for _ in range(epochs):
        for batch, target in pynet.data.DataLoader(X, pynet.data.one_hot(y), batch_size=32, shuffle=True):
            output = model.forward(batch)
            model.backward(batch, criterion.backward(output, target))
            sgd(model.parameters(), model.grad_parameters(), lr)
    return criterion.forward(model.eval().forward(X), pynet.data.one_hot(y))


def accuracy(model, X, y):
    return np.mean(model.eval().forward(X).argmax(axis=1) == y)


print("\n7. slope   training loss   accuracy where we choose")
for slope in (0, 0.01, 0.03, 0.1, 0.3, 1):
    np.random.seed(3)
    model = pynet.Sequential(pynet.Linear(64, 64), LeakyReLU(slope), pynet.Linear(64, 10), pynet.SoftMax())
    print(f"   {slope:5}   {fit(model, X_train, y_train, epochs=20):13.4f}   {accuracy(model, X_choose, y_choose):.3f}")

# %% [markdown]
# ## 8. The network
#
# Digits are easy, and hardly care for the slope: the notebook's 0.03 stays. Some dropout, and both parts to learn from.

# %%
np.random.seed(4)
model = pynet.Sequential(
    pynet.Linear(64, 128), pynet.LeakyReLU(0.03), pynet.Dropout(0.2), pynet.Linear(128, 10), pynet.SoftMax()
)
print(f"\n8. {model}")
print(f"training loss {fit(model, X, y, epochs=40):.4f}, training accuracy {accuracy(model, X, y):.3f}")
p = model.forward(X_test)
doubt = p.max(axis=1).argmin()
print(f"the test digit it is least sure of: {y_test[doubt]}, taken for {p[doubt].argmax()}")
for row in (4 * X_test[doubt]).astype(int).reshape(8, 8):
    print("   ", "".join(2 * " .oO@"[ink] for ink in row).rstrip())
print(f"test accuracy {accuracy(model, X_test, y_test):.4f}")
