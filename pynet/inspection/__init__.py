"""Looking into a model: what it costs, where its time goes, and where it ceased to be finite."""

from .profiling import profile
from .summary import summary
from .tracing import trace_nan

__all__ = ["profile", "summary", "trace_nan"]
