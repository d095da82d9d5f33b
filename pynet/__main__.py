"""The command ``pynet``, also as ``python -m pynet``."""

import sys


def main() -> None:
    """Run the command line, or say what is missing for it."""
    try:
        from .cli import run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("pynet"):
            raise
        sys.exit(f"pynet: the command line needs '{error.name}': pip install 'pynet[train]'")
    run()


if __name__ == "__main__":
    main()
