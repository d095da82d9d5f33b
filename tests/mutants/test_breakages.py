"""The list of breakages keeps up with the sources: what is to be broken stands there, once."""

import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BREAKAGES = tomllib.loads((HERE / "breakages.toml").read_text())["breakage"]


@pytest.mark.parametrize("breakage", BREAKAGES, ids=lambda breakage: breakage["what"])
def test_what_is_to_be_broken_stands_there_once(breakage):
    assert (HERE.parents[1] / breakage["file"]).read_text().count(breakage["old"]) == 1
    assert breakage["new"] != breakage["old"]


def test_there_are_enough_of_them():
    assert len(BREAKAGES) >= 60
