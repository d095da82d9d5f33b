"""Checking a layer of one's own: its gradients, and everything else that a network asks of it."""

from .check_module import check_module
from .gradcheck import GradientReport, gradcheck
from .report import CheckError, ModuleReport, Row

__all__ = ["CheckError", "GradientReport", "ModuleReport", "Row", "check_module", "gradcheck"]
