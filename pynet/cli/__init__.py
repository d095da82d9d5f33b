"""The command line: what ``pynet`` can be told to do, one file per command."""

import sys

import click

from .. import __version__
from .evaluate import evaluate
from .info import info
from .plot import plot
from .predict import predict
from .train import train


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    epilog='Completion of words: eval "$(_PYNET_COMPLETE=bash_source pynet)", or zsh_source, fish_source.',
)
@click.version_option(__version__, prog_name="pynet")
@click.pass_context
def commands(context: click.Context) -> None:
    """Train neural networks on NumPy arrays, on a CPU."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (train, evaluate, predict, info, plot):
    commands.add_command(command)


def run() -> None:
    """Run the command that was typed; what went wrong is told in one line, with exit code 2, and Ctrl-C is 130."""
    try:
        sys.exit(commands.main(prog_name="pynet", standalone_mode=False))
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "pynet"
        _end(f"{_one_line(error)} (see '{command} --help')")
    except click.ClickException as error:
        _end(_one_line(error))
    except (OSError, ValueError, MemoryError, ImportError) as error:  # such as a disk that is full
        _end(" ".join(str(error).split()) or type(error).__name__)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


def _one_line(error: click.ClickException) -> str:
    return " ".join(error.format_message().split())


def _end(message: str) -> None:
    click.echo(f"Error: {message}", err=True)
    sys.exit(2)
