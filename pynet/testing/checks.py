"""What a network asks of a module: one function per row of `check_module`'s report.

Each returns what it saw, or raises: `Advice` for what pynet's own layers do and another may live without, anything else
for a failure.
"""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import protocol
from ..arrays import Array
from ..sequential import Sequential
from .gradcheck import gradcheck
from .layouts import layouts, plain
from .subject import Subject, everything, gradients, parameters, require_equal, state, unlisted


class Advice(Exception):  # noqa: N818 - it is no error
    """What is no failure, yet worth knowing."""


def output_is_kept(subject: Subject) -> str:
    """Compare ``self.output`` with what forward returned."""
    module = subject.module()
    output = module.forward(subject.input)
    kept = getattr(module, "output", None)
    if kept is None:
        raise Advice("forward keeps no self.output")
    assert kept is output, "self.output is not what forward returned"
    return f"{subject.input.shape} to {subject.output_shape}"


def parameters_have_gradients(subject: Subject) -> str:
    """Look for all parameters themselves, no copies, and for one gradient for each, of its shape."""
    module = subject.module()
    subject.run(module)
    found, again = protocol.all_parameters(module), protocol.all_parameters(module)
    for parameter, same in zip(found, again, strict=True):
        assert parameter.array is same.array, f"parameters() returns a copy of {parameter.name}, which no step moves"
        assert parameter.gradient is not None, f"{parameter.name} has no gradient after backward"
        shapes = np.shape(parameter.gradient), parameter.array.shape
        assert shapes[0] == shapes[1], f"gradient of {parameter.name}: expected shape {shapes[1]}, got {shapes[0]}"
    for owner, name in _forgotten(subject, module):
        raise AssertionError(f"{owner} has {name} and grad_{name}, but parameters() lists no {name}: no step moves it")
    return ", ".join(f"{p.name} {p.array.shape}" for p in found) or "no parameters"


def _forgotten(subject: Subject, module: Any) -> list[tuple[str, str]]:
    """Return what is there from the start, gets a gradient as parameters do, and is none."""
    before, after = ([(cls.__name__, name) for cls, name in unlisted(each)] for each in (subject.module(), module))
    return [(owner, name) for owner, name in before if (owner, f"grad_{name}") in after]


def gradients_in_training(subject: Subject) -> str:
    """Compare gradients with finite differences, at the input and at every parameter."""
    return _gradients(subject, training=True)


def gradients_in_evaluation(subject: Subject) -> str:
    """Do the same after eval()."""
    return _gradients(subject, training=False)


def _gradients(subject: Subject, training: bool) -> str:
    module = subject.module()
    protocol.set_mode(module, training)
    report = gradcheck(module, subject.input)
    worst = f", worst error {report.worst_error:.1g} at {report.worst}" if report.checked else ""
    return f"{report.checked} derivatives{worst}"


def float32_stays_float32(subject: Subject) -> str:
    """Look whether with float32 parameters and input every result is float32, and near that of float64."""
    module, want = subject.module(np.float32), subject.run(subject.module())
    got = subject.run(module, subject.input.astype(np.float32), subject.grad_output.astype(np.float32))
    for name, array in got.items():
        assert array.dtype == np.float32, f"{name}: expected float32, got {array.dtype}"
        allowed = 1e-3 * np.max(np.abs(want[name]), initial=1.0)
        error = np.max(np.abs(array - want[name]), initial=0)
        assert error <= allowed, f"{name} differs by {error:.2g} from that of float64"
    return ", ".join(got)


def any_layout(subject: Subject) -> str:
    """Compare the results for input and grad_output in every layout with those for contiguous copies."""
    worst, count = 0.0, 0
    for argument, array in (("input", subject.input), ("grad_output", subject.grad_output)):
        for layout, odd in layouts(array).items():
            want = subject.run(subject.module(), **{argument: plain(odd)})
            got = subject.run(subject.module(), **{argument: odd})
            worst = max(worst, require_equal(got, want, f"{argument} {layout}: "))
            count += 1
    return f"{count} layouts, " + (f"equal within {worst:.1g}" if worst else "the same bits")


def inputs_are_unchanged(subject: Subject) -> str:
    """Look whether forward or backward writes into what it is given."""
    x, grad = subject.input.copy(), subject.grad_output.copy()
    subject.run(subject.module(), x, grad)
    given = {"input": subject.input, "grad_output": subject.grad_output}
    require_equal({"input": x, "grad_output": grad}, given, "written into: ", exact=True)
    return "input, grad_output"


def parameters_are_unchanged(subject: Subject) -> str:
    """Look whether forward or backward moves a parameter."""
    module = subject.module()
    before = parameters(module)
    subject.run(module)
    require_equal(parameters(module), before, "moved: ", exact=True)
    return ", ".join(before) or "no parameters"


def gradients_overwrite(subject: Subject) -> str:
    """Compare the gradients of a second backward with those of the first, whose double they must not be."""
    module = subject.module()
    first = {name: array for name, array in subject.run(module).items() if name != "output"}
    require_equal(subject.backward(module, subject.input), first, "after a second backward, ")
    return "twice the same"


def gradients_accumulate(subject: Subject) -> str:
    """Add up gradients, by ``accumulate`` or, for a backward that does not know it, as a Sequential does."""
    module = subject.module()
    subject.run(module)
    want = {name: 3 * gradient for name, gradient in gradients(module).items()}
    subject.backward(module, subject.input, 2 * subject.grad_output, accumulate=True)
    require_equal(gradients(module), want, "after accumulate=True, ")
    return "one backward and twice its double are three"


def backward_at_another_input(subject: Subject) -> str:
    """Call backward at another input than the last forward saw."""
    want = {name: array for name, array in subject.run(subject.module()).items() if name != "output"}
    try:
        require_equal(_backward_elsewhere(subject, subject.module()), want)
    except Exception as error:
        inside = _without_place(_backward_elsewhere(subject, Sequential(subject.module())))
        require_equal(inside, want, "also inside a Sequential, ")
        raise Advice(f"right inside a Sequential alone, for it uses what forward kept ({error})") from None
    return "right there, too"


def _backward_elsewhere(subject: Subject, module: Any) -> dict[str, Array]:
    np.random.seed(1)
    module.forward(subject.other_input)
    before = state(module)
    found = subject.backward(module, subject.input)
    require_equal(state(module), before, "moved by backward: ", exact=True)
    return found


def inside_a_sequential(subject: Subject) -> str:
    """Compare with a Sequential around it."""
    got = subject.run(Sequential(subject.module()))
    require_equal(_without_place(got), subject.run(subject.module()), "inside, ")
    return "the same"


def _without_place(found: dict[str, Array]) -> dict[str, Array]:
    """Return results of a Sequential around one module by the names that this one gives them."""
    return {name.replace("gradient of 0.", "gradient of "): array for name, array in found.items()}


def wrong_grad_output_raises(subject: Subject) -> str:
    """Look whether a grad_output of another shape raises, and changes nothing."""
    grad = subject.grad_output
    module = subject.module()
    subject.run(module)
    before = everything(module)
    wrong = [grad[None]]
    if grad.ndim:
        wrong += [grad[:-1], grad[..., [0] * (grad.shape[-1] + 1)], np.array(1.0)]
    for array in wrong:
        try:
            protocol.backward(module, subject.input, array, accumulate=False)
        except Exception as error:
            try:
                require_equal(everything(module), before, exact=True)
            except AssertionError as changed:
                raise Advice(f"shape {array.shape} raises {type(error).__name__}, but has changed {changed}") from None
        else:
            raise Advice(f"takes shape {array.shape} for an output {grad.shape}")
    return ", ".join(str(array.shape) for array in wrong)


def copies_compute_the_same(subject: Subject) -> str:
    """Compare with copy.copy and copy.deepcopy, which shares nothing."""
    module = _used(subject)
    deep, shallow = copy.deepcopy(module), copy.copy(_used(subject))
    for p in protocol.all_parameters(deep):
        shared = any(np.shares_memory(p.array, q.array) for q in protocol.all_parameters(module))
        assert not shared, f"a deep copy shares {p.name} with the original"
    want = subject.run(module)
    for other in (deep, shallow):
        require_equal(subject.run(other), want, "of a copy, ")
    return "copy, deepcopy"


def pickles_compute_the_same(subject: Subject) -> str:
    """Compare with what comes back from pickle, by which it goes to other processes."""
    module = _used(subject)
    try:
        other = pickle.loads(pickle.dumps(module))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Advice(f"cannot be pickled: {error}") from None
    require_equal(subject.run(other), subject.run(module), "unpickled, ")
    return "by the newest protocol"


def _used(subject: Subject) -> Any:
    """Return a module that has been called, and may keep what it likes."""
    module = subject.module()
    subject.run(module)
    return module


def zero_rows_go_through(subject: Subject) -> str:
    """Look whether a batch without rows gives one, and gradients of zero."""
    module, x = subject.module(), subject.input[:0]
    subject.run(module)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of the mean of nothing
            found = subject.run(module, x, np.zeros((0, *subject.output_shape[1:])))
    except Exception as error:
        raise Advice(f"{type(error).__name__}: {error}") from None
    for name, array in found.items():
        expected = {"output": (0, *subject.output_shape[1:]), "grad_input": x.shape}.get(name, array.shape)
        if array.shape != expected or np.any(array != 0):
            raise Advice(f"{name}: expected zeros of shape {expected}, got {array.tolist()} of shape {array.shape}")
    return "zeros"


def rows_one_by_one_give_the_batch(subject: Subject) -> str:
    """Look whether in evaluation an output depends on its own row alone."""
    module = subject.module()
    protocol.set_mode(module, False)
    whole = module.forward(subject.input)
    try:
        rows = np.concatenate([module.forward(subject.input[i : i + 1]) for i in range(len(subject.input))])
        require_equal({"output": rows}, {"output": whole}, "one by one, ")
    except Exception as error:
        raise Advice(f"rows depend on each other, as in a norm over the batch ({error})") from None
    return "in evaluation"


def evaluation_changes_nothing(subject: Subject) -> str:
    """Look whether after eval() forward is the same every time and moves nothing, and train() and eval() are heard."""
    module = subject.module()
    for training in (False, True, False):
        protocol.set_mode(module, training)
        flag = getattr(module, "training", training)
        assert flag is training, f"after {'train' if training else 'eval'}(), training is {flag}"
    before = everything(module)
    outputs = []
    for seed in (1, 2):
        np.random.seed(seed)
        outputs.append({"output": np.array(module.forward(subject.input))})
    require_equal(outputs[1], outputs[0], "forward twice in evaluation, ", exact=True)
    require_equal(everything(module), before, "forward in evaluation has moved ", exact=True)
    return "forward twice the same"


def state_goes_round(subject: Subject) -> str:
    """Look whether state_dict holds all that another one needs to compute the same."""
    source, target = Sequential(subject.module()), Sequential(subject.module())
    subject.run(source)
    for parameter in protocol.all_parameters(target) + protocol.all_buffers(target):
        parameter.array[...] += 1
    kept = source.state_dict()
    target.load_state_dict(kept)
    try:
        require_equal(subject.run(target.eval()), subject.run(source.eval()), "after load_state_dict, ")
    except AssertionError as error:
        raise AssertionError(f"{error}; {_remedy(subject)}") from None
    return ", ".join(name.removeprefix("0.") for name in kept) or "no state"


def _remedy(subject: Subject) -> str:
    """Return what to write so that state_dict holds all: the attributes that are arrays from the start."""
    names: dict[type, tuple[str, ...]] = {}
    for owner, name in unlisted(subject.module()):
        names[owner] = (*names.get(owner, getattr(owner, "buffer_names", ())), name)
    written = [f"buffer_names = {found} in class {owner.__name__}" for owner, found in names.items()]
    return f"name the arrays that are state: {', '.join(written) or 'buffer_names = (...) in its class'}"


CHECKS: dict[str, Callable[[Subject], str]] = {
    "output is kept": output_is_kept,
    "parameters have gradients": parameters_have_gradients,
    "gradients, training": gradients_in_training,
    "gradients, evaluation": gradients_in_evaluation,
    "float32 stays float32": float32_stays_float32,
    "any memory layout": any_layout,
    "inputs are unchanged": inputs_are_unchanged,
    "parameters are unchanged": parameters_are_unchanged,
    "gradients overwrite": gradients_overwrite,
    "gradients accumulate": gradients_accumulate,
    "backward at another input": backward_at_another_input,
    "inside a Sequential": inside_a_sequential,
    "a wrong grad_output raises": wrong_grad_output_raises,
    "copies compute the same": copies_compute_the_same,
    "pickles compute the same": pickles_compute_the_same,
    "zero rows go through": zero_rows_go_through,
    "rows one by one": rows_one_by_one_give_the_batch,
    "evaluation changes nothing": evaluation_changes_nothing,
    "state goes round": state_goes_round,
}
