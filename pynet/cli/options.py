"""Kinds of values that options take."""

from __future__ import annotations

from typing import Any

import click
import numpy as np


class Number(click.FloatRange):
    """A range of numbers that NaN and infinity are not in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; end with an error if it is out of range."""
        number = super().convert(value, param, ctx)
        if not np.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


class Widths(click.ParamType[tuple[int, ...]]):
    """Whole numbers with commas between them: 128,64."""

    name = "widths"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a tuple of widths, empty for an empty text; end with an error if one is none."""
        if isinstance(value, tuple):
            return value
        try:
            widths = tuple(int(part) for part in value.split(",")) if value.strip() else ()
        except ValueError:
            self.fail(f"{value!r} is not a list of whole numbers such as 128,64.", param, ctx)
        if any(not 1 <= width <= 100_000 for width in widths):
            self.fail(f"{value!r} has a width that is not from 1 to 100000.", param, ctx)
        return widths
