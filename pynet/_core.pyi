"""The compiled kernels: see csrc/bindings. Inputs are converted, parameters must be as the kernels want them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Mask = npt.NDArray[np.bool_]

def num_threads() -> int: ...
def set_num_threads(count: int) -> None: ...
def isa() -> str: ...
def blas() -> str: ...
def relu_forward(input: npt.ArrayLike) -> _Array: ...
def relu_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike) -> _Array: ...
def leaky_relu_forward(input: npt.ArrayLike, slope: float) -> _Array: ...
def leaky_relu_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike, slope: float) -> _Array: ...
def sigmoid_forward(input: npt.ArrayLike) -> _Array: ...
def sigmoid_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike) -> _Array: ...
def tanh_forward(input: npt.ArrayLike) -> _Array: ...
def tanh_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike) -> _Array: ...
def softmax_forward(input: npt.ArrayLike) -> _Array: ...
def softmax_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike) -> _Array: ...
def log_softmax_forward(input: npt.ArrayLike) -> _Array: ...
def log_softmax_backward(input: npt.ArrayLike, grad_output: npt.ArrayLike) -> _Array: ...
def linear_forward(input: npt.ArrayLike, W: _Array, b: _Array | None) -> _Array: ...
def linear_backward(
    input: npt.ArrayLike,
    grad_output: npt.ArrayLike,
    W: _Array,
    grad_W: _Array,
    grad_b: _Array | None,
    accumulate: bool,
) -> _Array: ...
def dropout_forward(input: npt.ArrayLike, seed: int, p: float) -> tuple[_Array, _Mask]: ...
def dropout_backward(grad_output: npt.ArrayLike, mask: _Mask, p: float) -> _Array: ...
def batch_norm_forward(
    input: npt.ArrayLike,
    weight: _Array | None,
    bias: _Array | None,
    running_mean: _Array,
    running_var: _Array,
    eps: float,
    momentum: float,
    from_batch: bool,
    update: bool,
) -> _Array: ...
def batch_norm_backward(
    input: npt.ArrayLike,
    grad_output: npt.ArrayLike,
    weight: _Array | None,
    running_mean: _Array,
    running_var: _Array,
    grad_weight: _Array | None,
    grad_bias: _Array | None,
    eps: float,
    from_batch: bool,
    accumulate: bool,
) -> _Array: ...
def mse_forward(input: npt.ArrayLike, target: npt.ArrayLike, reduction: str) -> Any: ...
def mse_backward(input: npt.ArrayLike, target: npt.ArrayLike, reduction: str) -> _Array: ...
def cross_entropy_forward(input: npt.ArrayLike, target: npt.ArrayLike) -> Any: ...
def cross_entropy_backward(input: npt.ArrayLike, target: npt.ArrayLike) -> _Array: ...
def cross_entropy_loss_forward(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: _Array | None,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
) -> Any: ...
def cross_entropy_loss_backward(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: _Array | None,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
) -> _Array: ...
def sgd_step(
    parameters: list[_Array],
    grads: list[_Array],
    velocities: list[_Array] | None,
    steps: Sequence[int],
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
) -> None: ...
def adam_step(
    parameters: list[_Array],
    grads: list[_Array],
    means: list[_Array],
    squares: list[_Array],
    steps: Sequence[int],
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
) -> None: ...
