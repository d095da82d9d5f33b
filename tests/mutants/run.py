"""Break the library in one small place after another, and see whether the tests notice: `nox -s mutants`.

The breakages are in breakages.toml. Each is made in a copy of the sources, which is built anew where it is C++, and
tested by ctest, then by pytest. A breakage that no test notices is printed at the end, and makes the run fail.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 900  # seconds for one run of the tests: a breakage may well make them hang


class Copy:
    """A copy of the sources, with builds of its own."""

    def __init__(self, folder: Path) -> None:
        self.sources, self._build = folder / "sources", folder / "build"
        self._python_build = folder / "python"
        files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, files.split("\0")):
            to = self.sources / name
            to.parent.mkdir(parents=True, exist_ok=True)
            # What is as it was keeps its time: after an earlier run that is newer than what was built of it broken.
            if not to.exists() or not filecmp.cmp(ROOT / name, to, shallow=False):
                shutil.copy(ROOT / name, to)
        self._installed_breakage = True  # nothing is installed yet
        self.said = ""  # what the last command printed
        # The tests themselves need not be fast.
        options = ["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG"]
        self._run("cmake", "-S", str(self.sources), "-B", str(self._build), "-G", "Ninja", *options)

    def forget_kernels(self) -> None:
        """Have the kernels of the best instruction set compiled again, and nothing else that reads their headers."""
        best = "v4" if "avx512vl" in Path("/proc/cpuinfo").read_text() else "v3"
        for kernels in self._build.glob(f"CMakeFiles/pynet_kernels_{best}.dir/**/*.o"):
            kernels.unlink()

    def ctest_fails(self) -> bool:
        """Whether the C++ tests fail."""
        if not self._run("cmake", "--build", str(self._build)):
            raise RuntimeError("the C++ tests do not build")
        return not self._run("ctest", "--test-dir", str(self._build), "-j2", "--stop-on-failure", "--timeout", "60")

    def pytest_fails(self, tests: list[str], *, compiled: bool) -> bool:
        """Whether these tests fail, or, if they do not, all others; `compiled` says whether C++ is broken."""
        if compiled or self._installed_breakage:
            arguments = ["-q", "--no-build-isolation", "--no-deps", "--force-reinstall"]
            folder = f"-Cbuild-dir={self._python_build}"
            if not self._run(sys.executable, "-m", "pip", "install", *arguments, folder, str(self.sources)):
                raise RuntimeError("the extension does not build")
            self._installed_breakage = compiled
        # That every breakage stands in its source is no test of the library.
        options = ["-x", "-q", "-p", "no:cacheprovider", "--ignore=tests/mutants"]
        runs = [tests, []] if tests else [[]]
        return any(not self._run(sys.executable, "-m", "pytest", *options, *run) for run in runs)

    @property
    def first_failure(self) -> str:
        """Which test the last command says has failed; what it says at its end, if that names none."""
        found = re.search(r"^FAILED (\S+)|^\s*\d+ - (.*) \((?:Failed|SEGFAULT|Timeout|Subprocess)", self.said, re.M)
        return found[1] or found[2] if found else self.said[-80:].strip().replace("\n", " ")

    def _run(self, *command: str) -> bool:
        """Run a command in the copy; return whether it ended well, and in time."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, cwd=self.sources, env=environment, capture_output=True, timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.said = f"{command} takes longer than {LIMIT} s"
            return False
        self.said = done.stdout.decode(errors="replace")
        return done.returncode == 0


def is_noticed(copy: Copy, breakage: dict[str, Any]) -> str:
    """Break the copy, test it, and mend it; return which test noticed, or nothing."""
    path = copy.sources / breakage["file"]
    text = path.read_text()
    if text.count(breakage["old"]) != 1:
        raise ValueError(f"{breakage['file']}: {breakage['old']!r} stands there {text.count(breakage['old'])} times")
    written = path.stat()
    path.write_text(text.replace(breakage["old"], breakage["new"]))
    compiled = path.suffix in (".hpp", ".cpp")
    is_kernel = quietly = "kernels" in path.parts
    try:
        if is_kernel:
            # With the time it had, nothing but the kernels is compiled anew: what else includes it reads only a table.
            os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
            copy.forget_kernels()
        if compiled and "bindings" not in path.parts and copy.ctest_fails():
            return f"ctest: {copy.first_failure}"
        quietly = False  # the extension is built from all that has changed, now and once it is mended
        path.touch()
        fails = copy.pytest_fails(breakage.get("tests", []), compiled=compiled)
        return f"pytest: {copy.first_failure}" if fails else ""
    finally:
        path.write_text(text)
        if quietly:
            os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
        if is_kernel:
            copy.forget_kernels()


def main() -> int:
    """Run all breakages, or those whose file or description holds a given word."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to copy and build")
    parser.add_argument("words", nargs="*", help="only breakages whose file or description holds one of these")
    arguments = parser.parse_args()
    breakages = tomllib.loads((Path(__file__).parent / "breakages.toml").read_text())["breakage"]
    chosen = [b for b in breakages if not arguments.words or any(w in b["file"] + b["what"] for w in arguments.words)]
    copy = Copy(arguments.folder)
    if copy.ctest_fails() or copy.pytest_fails([], compiled=False):
        print(copy.said, "the tests fail on the unbroken sources", sep="\n")
        return 2
    chosen.sort(key=lambda b: b["file"].endswith((".hpp", ".cpp")))  # Python first: it needs the extension unbroken
    survivors = []
    for breakage in chosen:
        start = time.monotonic()
        noticed = is_noticed(copy, breakage)
        took = time.monotonic() - start
        by = noticed or "NOTHING"
        print(f"{took:4.0f} s  {breakage['file']}: {breakage['what']}\n        noticed by {by}", flush=True)
        if not noticed:
            survivors.append(breakage["what"])
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
