"""Multi-layer perceptrons with scikit-learn's arguments and attributes, and what scikit-learn's do not have."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from .. import layers
from ..arrays import Array, as_float_dtype, unfilled
from ..checks import as_at_least_zero, as_choice, as_flag, as_fraction, as_positive, as_share, as_size
from ..compiled import CompiledPredict
from ..criteria import BCELoss, CrossEntropy, KLDivLoss, NLLLoss
from ..layers.names import ACTIVATIONS as NAMED
from ..optim import SGD, Adam
from ..protocol import is_module
from ..sequential import Sequential
from ..snapshot import restore_snapshot, take_snapshot
from ..warning import warn
from .base import NetworkEstimator, dense
from .lbfgs import Scaled, minimise
from .penalty import biases_alone
from .rows import Run

# scikit-learn's two that it calls otherwise, and ours.
ACTIVATIONS = {"identity": layers.Identity, "logistic": layers.Sigmoid} | NAMED
# What comes before criteria that take no scores, but probabilities or their logarithms.
_LAST = {
    CrossEntropy: layers.SoftMax,
    BCELoss: layers.Sigmoid,
    NLLLoss: layers.LogSoftMax,
    KLDivLoss: layers.LogSoftMax,
}


class MLP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, NetworkEstimator):  # type: ignore[misc]
    """What the two perceptrons share: the network that their arguments describe, and how it is trained."""

    hidden_layer_sizes: Any
    activation: Any
    solver: str
    alpha: float
    learning_rate: str
    learning_rate_init: float
    power_t: float
    momentum: float
    nesterovs_momentum: bool
    beta_1: float
    beta_2: float
    epsilon: float
    max_fun: int
    dropout: float
    batch_norm: bool
    dtype: Any

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, (in, out): views of the network's own."""
        return [layer.W.T for layer in self._linear_layers("coefs_")]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, (out,): the network's own."""
        return [layer.b for layer in self._linear_layers("intercepts_")]

    @property
    def n_layers_(self) -> int:
        """How many layers there are, the inputs' and the outputs' included."""
        return len(self._linear_layers("n_layers_")) + 1

    def transform(self, X: Any) -> Array:
        """Return what the last hidden layer gives for each row, (rows, units): features that were learned."""
        check_is_fitted(self)
        X = self._inputs(X)
        return self._outputs(X, self._hidden)

    @property
    def _n_features_out(self) -> int:
        return int(self._linear_layers("_n_features_out")[-1].dim_in)

    def _linear_layers(self, name: str) -> list[layers.Linear]:
        if not hasattr(self, "model_"):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet: it has no {name}")
        return [layer for layer in self.model_ if isinstance(layer, layers.Linear)]

    def _check(self) -> None:
        super()._check()
        as_choice(self.solver, "solver", ("lbfgs", "sgd", "adam"))
        as_choice(self.learning_rate, "learning_rate", ("constant", "invscaling", "adaptive"))
        as_at_least_zero(self.alpha, "alpha")
        as_positive(self.learning_rate_init, "learning_rate_init")
        as_at_least_zero(self.power_t, "power_t")
        as_share(self.momentum, "momentum")
        as_fraction(self.beta_1, "beta_1")
        as_fraction(self.beta_2, "beta_2")
        as_positive(self.epsilon, "epsilon")
        as_size(self.max_fun, "max_fun", smallest=1)
        as_fraction(self.dropout, "dropout")
        as_flag(self.batch_norm, "batch_norm")
        as_flag(self.nesterovs_momentum, "nesterovs_momentum")
        if self.dtype is not None:
            as_float_dtype(self.dtype)
        if self.solver == "lbfgs":
            for name in ("dropout", "early_stopping", "callbacks"):
                if getattr(self, name):
                    raise ValueError(f"solver 'lbfgs' does without {name}: it sees all rows at once, and no epochs")

    def _input_options(self, fresh: bool) -> dict[str, Any]:
        if not fresh:
            return {"dtype": self._dtype()}
        return {"dtype": [np.float64, np.float32] if self.dtype is None else as_float_dtype(self.dtype)}

    def _widths(self) -> list[int]:
        given = self.hidden_layer_sizes
        widths = list(given) if isinstance(given, Iterable) else [given]
        return [as_size(width, "hidden_layer_sizes", smallest=1) for width in widths]

    def _make_model(self, X: Any, outputs: int, random_state: Any) -> Sequential:
        model, width, dtype = Sequential(), X.shape[1], X.dtype
        widths = self._widths()
        for hidden, activation in zip(widths, self._activations(len(widths)), strict=True):
            model.append(self._linear(width, hidden, dtype, random_state))
            if self.batch_norm:
                model.append(layers.BatchNorm(hidden, dtype=dtype))
            model.append(activation)
            if self.dropout:
                model.append(layers.Dropout(self.dropout))
            width = hidden
        model.append(self._linear(width, outputs, dtype, random_state))
        criterion = self.criterion if isinstance(self.criterion, type) else type(self.criterion)
        for kind, last in _LAST.items():
            if issubclass(criterion, kind):
                model.append(last())
        return model

    def _linear(self, dim_in: int, dim_out: int, dtype: Any, random_state: Any) -> layers.Linear:
        """Return a layer with scikit-learn's initial weights: those of Glorot, and biases alike."""
        with unfilled():
            layer = layers.Linear(dim_in, dim_out, dtype=dtype)
        bound = math.sqrt((2 if self.activation == "logistic" else 6) / (dim_in + dim_out))
        layer.W[...] = random_state.uniform(-bound, bound, (dim_in, dim_out)).T
        layer.b[...] = random_state.uniform(-bound, bound, dim_out)
        return layer

    def _activations(self, count: int) -> list[Any]:
        given = self.activation
        if not isinstance(given, list | tuple):
            given = [given] * count
        if len(given) != count:
            raise ValueError(f"activation has {len(given)} entries, expected one for each of {count} hidden layers")
        return [_as_activation(each) for each in given]

    def _decay(self, rows: float) -> float:
        return self.alpha / rows

    def _make_optimizer(self, decay: float) -> Any:
        # The criterion is `_scale` times scikit-learn's: with these it takes the very same steps.
        groups, decay = biases_alone(self.model_), decay * self._scale
        if self.solver == "sgd":
            lr, nesterov = self.learning_rate_init / self._scale, self.nesterovs_momentum and self.momentum > 0
            return SGD(self.model_, lr, self.momentum, weight_decay=decay, nesterov=nesterov, groups=groups)
        betas, eps = (self.beta_1, self.beta_2), self.epsilon * self._scale
        return Adam(self.model_, self.learning_rate_init, betas, eps, decay, groups=groups)

    def _use_decay(self, decay: float) -> None:
        self.optimizer_.weight_decay = decay * self._scale

    def _schedule(self, optimizer: Any) -> None:
        if self.solver == "sgd" and self.learning_rate == "invscaling":
            _change_lr(optimizer, self.learning_rate_init / (self.t_ + 1) ** self.power_t / self._scale)

    def _slow_down(self, optimizer: Any) -> bool:
        if self.solver != "sgd" or self.learning_rate != "adaptive" or optimizer.lr * self._scale <= 1e-6:
            return False
        _change_lr(optimizer, optimizer.lr / 5)
        return True

    def _hold_out(self, X: Any, codes: Array, weight: Array | None, eval_set: Any) -> tuple[Any, Array, Array | None]:
        if self.solver == "lbfgs" and eval_set is not None:
            raise ValueError("solver 'lbfgs' does without eval_set: there are no epochs after which to look at it")
        return super()._hold_out(X, codes, weight, eval_set)

    def _train(self, run: Run, begun: Callable[[], object]) -> None:
        if self.solver != "lbfgs":
            super()._train(run, begun)
            return
        X, weight, count = dense(run.X), run.weight, len(run.target)
        decay = self._decay(count if weight is None else float(weight.sum()))
        criterion = Scaled(self.criterion_, self._scale)
        limits = {"max_iter": self.max_iter, "max_eval": self.max_fun, "tolerance_grad": self.tol}
        before = take_snapshot(self.model_)
        try:
            found = minimise(self.model_.train(), criterion, X, run.target, weight, decay, **limits)
        except BaseException:
            restore_snapshot(self.model_, before)
            raise
        finally:
            self.model_.eval()
        if not found.converged:
            warn(f"L-BFGS has not converged: {found.message}", ConvergenceWarning)
        self.loss_ = self.best_loss_ = found.losses[-1]
        self.n_iter_ = len(found.losses) - 1
        self.t_ += count * self.n_iter_
        self.stopped_ = found.converged

    def _begin(self, X: Any, random_state: Any) -> None:
        super()._begin(X, random_state)
        last = max(place for place, layer in enumerate(self.model_) if isinstance(layer, layers.Linear))
        self._hidden = CompiledPredict(self.model_[:last])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _change_lr(optimizer: Any, lr: float) -> None:
    """Change the learning rate from the next gradient on.

    scikit-learn's velocity is made of steps, SGD's of gradients: what is in it already is to move as far as it would.
    """
    if lr:
        for velocities in optimizer.prepare().buffers:
            for velocity in velocities:
                velocity *= optimizer.lr / lr
    optimizer.lr = lr


def _as_activation(given: Any) -> Any:
    """Return a layer of its own from a name, a module, or what makes one."""
    if isinstance(given, str):
        return ACTIVATIONS[as_choice(given, "activation", tuple(ACTIVATIONS))]()
    made: Any = copy.deepcopy(given) if is_module(given) else given() if callable(given) else None
    if not is_module(made):
        raise TypeError(f"activation must be a name, a module, or what makes one, got {given!r:.80}")
    return made
