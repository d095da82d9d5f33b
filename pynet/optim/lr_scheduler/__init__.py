"""Learning rate schedules: each sets its optimizer's ``lr`` anew at every ``step()``."""

from .cosine_annealing_lr import CosineAnnealingLR
from .exponential_lr import ExponentialLR
from .lambda_lr import LambdaLR
from .linear_lr import LinearLR
from .multi_step_lr import MultiStepLR
from .one_cycle_lr import OneCycleLR
from .reduce_lr_on_plateau import ReduceLROnPlateau
from .schedule import LRScheduler
from .sequential_lr import SequentialLR
from .step_lr import StepLR

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
