"""The criteria, one file each."""

from .bce_loss import BCELoss
from .bce_with_logits_loss import BCEWithLogitsLoss
from .cross_entropy import CrossEntropy
from .cross_entropy_loss import CrossEntropyLoss
from .gaussian_nll_loss import GaussianNLLLoss
from .huber_loss import HuberLoss
from .kl_div_loss import KLDivLoss
from .l1_loss import L1Loss
from .mse import MSE
from .mse_loss import MSELoss
from .nll_loss import NLLLoss
from .pinball_loss import PinballLoss
from .poisson_nll_loss import PoissonNLLLoss
from .smooth_l1_loss import SmoothL1Loss

__all__ = [
    "MSE",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropy",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "PinballLoss",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]
