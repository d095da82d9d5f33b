"""The optimizers, each of which moves all parameters of a model in one call, and what goes with them."""

from . import lr_scheduler
from .adam import Adam, AdamW
from .clipping import clip_grad_norm_, clip_grad_value_
from .ema import EMA
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["EMA", "SGD", "Adam", "AdamW", "Optimizer", "clip_grad_norm_", "clip_grad_value_", "lr_scheduler"]
