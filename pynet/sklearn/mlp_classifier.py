"""MLPClassifier: scikit-learn's, and more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from .mlp import MLP
from .tasks import Classifier


class MLPClassifier(Classifier, MLP):
    """A multi-layer perceptron that tells classes apart, with scikit-learn's arguments and attributes.

    The same ``random_state`` gives the same initial weights as in scikit-learn, and in the same order of rows the same
    steps, with three exceptions: ``epsilon`` of "adam" stands where the paper and PyTorch have it (see there), a last
    batch of fewer rows has its share of ``alpha``, and weights of rows are divided by their mean over all rows, not
    over each batch. Orders themselves are drawn otherwise.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of each hidden layer.
    activation : str, module or function, or a sequence of these, default "relu"
        scikit-learn's "identity", "logistic", "tanh" and "relu", or "leaky_relu", "elu", "selu", "gelu", "silu",
        "mish", "softplus", "softsign", "hardtanh", "relu6", "hardsigmoid", "hardswish" and "logsigmoid"; a module of
        pynet or one's own, which is copied; or what makes one, as ``pynet.PReLU``. One for all hidden layers, or one
        for each.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
        `pynet.optim.Adam`, `pynet.optim.SGD`, or SciPy's L-BFGS on all rows at once.
    alpha : float, default 0.0001
        L2: ``alpha / 2 * ||W||² / n`` is added to the loss of n rows, for weights and not for biases. A last batch of
        fewer rows is treated as a full one.
    batch_size : int or "auto", default "auto"
        Rows per step; auto: 200. A last batch of one row joins the one before it.
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        Of "sgd": ``learning_rate_init / t**power_t`` after t rows for "invscaling"; "adaptive" divides it by 5 instead
        of stopping, until it is 1e-6.
    learning_rate_init, power_t, momentum, nesterovs_momentum, beta_1, beta_2, epsilon
        As in `pynet.optim.SGD` and `pynet.optim.Adam`. scikit-learn's Adam does at the t-th step what pynet's does with
        ``epsilon / sqrt(1 - beta_2**t)``: at first 32 times as much, which shows where gradients are that small, as
        those that ``alpha`` alone gives the weights of a constant column.
    max_iter : int, default 200
        Epochs at most; of "lbfgs", iterations.
    shuffle : bool, default True
        Whether each epoch takes the rows in a new order.
    random_state : int, RandomState or None, default None
        All that is drawn depends on it alone: weights, dropout, validation rows, order. None: NumPy's global generator.
    tol : float, default 0.0001
        By how much the loss must get better to count as an improvement; of "lbfgs", the gradient at which to stop.
    verbose : bool, default False
        Whether to print the figures of each epoch.
    warm_start : bool, default False
        Whether `fit` begins with the weights of the last one.
    early_stopping : bool, default False
        Whether the validation loss decides when to stop (in scikit-learn: the score), and the weights of its best epoch
        are taken. The rows are those of ``eval_set``, or split off; weights of rows and classes count in their loss.
    validation_fraction : float, default 0.1
        The share of rows that is split off.
    n_iter_no_change : int or inf, default 10
        How many epochs without improvement are endured.
    max_fun : int, default 15000
        Of "lbfgs": how often the loss is computed at most.
    dropout : float, default 0.0
        Share of the hidden units that is dropped in training.
    batch_norm : bool, default False
        Whether a BatchNorm stands before each activation; it needs two rows and more in each batch.
    criterion : Criterion or class, optional
        Of scores: ``pynet.CrossEntropyLoss(label_smoothing=0.1)``; before `pynet.CrossEntropy` a SoftMax is put, before
        `pynet.NLLLoss` and `pynet.KLDivLoss` a LogSoftMax, before `pynet.BCELoss` a Sigmoid. One that takes no labels
        gets columns of 0 and 1. By default the cross-entropy of one logistic output for two classes, of softmax for
        several, and of one logistic output for each of several labels, for which `pynet.BCEWithLogitsLoss` and
        `pynet.BCELoss` are and criteria of one class, as `pynet.CrossEntropyLoss`, are not.
    out_activation : {"identity", "logistic", "softmax", "exp", "means"} or function, optional
        What makes probabilities of the network's outputs; by default what belongs to the criterion. For one that gives
        no probabilities, and for one's own, it is identity, and there is no `predict_proba`, unless this is given.
    class_weight : dict or "balanced", optional
        What the rows of each class count, 1 if not named; balanced: all classes the same in sum.
    dtype : float32 or float64, optional
        What it computes in; by default that of X, as in scikit-learn: float64 unless X is float32. float32 is up to
        twice as fast; it is not the default because weights would then not mean the same as repeated rows to the digits
        that scikit-learn's checks ask for.
    callbacks : callback or sequence, optional
        `pynet.callbacks`, or functions of the optimizer that return one:
        ``lambda optimizer: LRScheduler(CosineAnnealingLR(optimizer, 50))``. ``val_loss`` is that of the watched rows as
        the criterion has it: ``validation_curve_`` times the number of labels, where there are several.

    Attributes
    ----------
    classes_ : array
        The classes, sorted.
    coefs_, intercepts_ : list of array
        Weights (in, out) and biases (out,) of each layer: views of the network's own.
    model_, criterion_, optimizer_
        The network, what its outputs cost, and what moved it.
    loss_, loss_curve_ : float, list of float
        The mean loss of the last epoch, and of each one; L2 included, with the weights at its end.
    best_loss_ : float or None
        The lowest of these; None with early stopping.
    validation_curve_, validation_scores_ : list of float
        Loss and accuracy of the watched rows after each epoch; empty if there are none.
    best_validation_score_ : float or None
        The score in the epoch of the best validation loss, with early stopping.
    n_iter_, t_ : int
        Epochs, and rows seen.
    stopped_ : bool
        Whether it ended because it got no better.
    n_layers_, n_outputs_, n_features_in_ : int
        Layers with inputs and outputs, columns of outputs and of X.
    out_activation_ : str or function
        What makes probabilities of outputs.
    feature_names_in_ : array of str
        The names of X's columns, if all are text.

    Raises
    ------
    TypeError, ValueError
        In `fit`, if an argument or the data are not what they must be.
    pynet.DivergedError
        If a loss is not finite.

    Notes
    -----
    A step is one compiled call wherever `pynet.compile_step` can: not with criteria and layers of one's own, which run
    module by module.

    References
    ----------
    Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.

    Examples
    --------
    >>> from pynet.sklearn import MLPClassifier
    >>> X, y = pynet.data.load_digits()
    >>> model = MLPClassifier((64,), dropout=0.2, early_stopping=True, random_state=0).fit(X / 16, y)  # doctest: +SKIP
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        batch_norm: bool = False,
        criterion: Any = None,
        out_activation: Any = None,
        class_weight: dict[Any, float] | str | None = None,
        dtype: npt.DTypeLike | None = None,
        callbacks: Any = None,
    ) -> None:
        self._keep(locals())
