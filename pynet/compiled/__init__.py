"""A whole training step, or a prediction, as one call of C++."""

from .online import OnlineLearner
from .predict import CompiledPredict, compile_predict
from .step import CompiledStep, compile_step

__all__ = ["CompiledPredict", "CompiledStep", "OnlineLearner", "compile_predict", "compile_step"]
