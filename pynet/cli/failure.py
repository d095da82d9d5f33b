"""What ends a command: one line, and exit code 2."""

import click


class Failure(click.ClickException):
    """An error that the person at the keyboard can do something about."""

    exit_code = 2
