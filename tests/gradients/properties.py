"""A property with its examples: some in every run, thousands in the thorough one; always the same ones."""

import pytest
from hypothesis import given, settings

EXAMPLES = [100, pytest.param(3000, marks=pytest.mark.thorough)]


def settled(examples, **more):
    return settings(max_examples=examples, derandomize=True, database=None, deadline=None, **more)


def holds_for(**strategies):
    """Make a test of a function of drawn values."""

    def decorate(check):
        @pytest.mark.parametrize("examples", EXAMPLES)
        def test(examples):
            settled(examples)(given(**strategies)(check))()

        return test

    return decorate
