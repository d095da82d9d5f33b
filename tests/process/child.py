"""Runs code in a Python process of its own, with a time limit."""

import os
import subprocess
import sys
import textwrap


def output_of(code, *arguments, timeout=60, preexec_fn=None, **environment):
    """What it prints; anything on stderr, or another end than the usual one, fails."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        preexec_fn=preexec_fn,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"ended with {done.returncode}: {done.stderr}"
    return done.stdout.strip()
