"""The command line: what ``pynet`` can be told to do, one file per command."""

import click

from .. import __version__
from .train import train


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pynet")
def commands() -> None:
    """Train neural networks on NumPy arrays, on a CPU."""


commands.add_command(train)
