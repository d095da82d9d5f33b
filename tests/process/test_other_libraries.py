"""PyTorch, scikit-learn and pynet in one process: imported in every order, each used before the others and after."""

import importlib.util
import itertools

import pytest
from child import output_of

USES = {
    "torch": """
        import torch
        torch.manual_seed(0)
        layer = torch.nn.Linear(300, 200)
        loss = layer(torch.ones(500, 300)).relu().sum()
        loss.backward()
        assert torch.isfinite(layer.weight.grad).all()
    """,
    "sklearn": """
        import numpy as np
        from sklearn.cluster import KMeans
        from sklearn.neural_network import MLPClassifier
        random = np.random.default_rng(0)
        x, y = random.normal(size=(500, 30)), random.integers(0, 3, 500)
        KMeans(3, n_init=1, random_state=0).fit(x)
        MLPClassifier((20,), max_iter=2, random_state=0, early_stopping=True).fit(x, y)
    """,
    "pynet": """
        import numpy as np, pynet
        pynet.set_num_threads(3)
        random = np.random.default_rng(0)
        x, y = random.normal(size=(2000, 300)), random.integers(0, 5, 2000)
        model = pynet.Sequential(pynet.Linear(300, 200, seed=0), pynet.ReLU(), pynet.Linear(200, 5, seed=1))
        output = model.forward(x)
        np.testing.assert_allclose(output, np.maximum(x @ model[0].W.T + model[0].b, 0) @ model[2].W.T + model[2].b)
        step = pynet.compile_step(model, pynet.CrossEntropyLoss(), pynet.optim.SGD(model, 0.1))
        assert step.epoch(x, y, np.arange(2000), 500)[-1] < 3
        assert np.float64(5e-324) * 1.0 != 0.0
    """,
}

IMPORTS = {
    "torch": "import torch",
    "sklearn": "import sklearn.neural_network, sklearn.cluster",
    "pynet": "import pynet",
}


def orders(*names):
    return list(itertools.permutations(names))


@pytest.mark.thorough
@pytest.mark.parametrize("order", orders("torch", "sklearn", "pynet"), ids=" ".join)
def test_libraries_imported_in_any_order_work_side_by_side(order):
    for name in order:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"there is no {name}")
    lines = ["import warnings", 'warnings.simplefilter("ignore")', *(IMPORTS[name] for name in order)]
    lines += [f"def use_{name}():{USES[name]}" for name in order]
    for used in (order, order[::-1]):
        lines += [f"use_{name}()" for name in used]
    assert output_of("\n".join([*lines, 'print("used")']), timeout=300) == "used"
