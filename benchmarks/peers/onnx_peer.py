"""ONNX Runtime, for inference: one graph of Gemm and Relu, all optimizations on."""

from typing import Any

import cells
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


class Peer:
    """A session with as many threads as everybody."""

    steps, scores = 1, True
    train = None

    def __init__(self, cell: cells.Cell, threads: int) -> None:
        self.batches = cells.data(cell)
        self._feeds = [{"x": x} for x, _ in self.batches]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self._session = onnxruntime.InferenceSession(_graph(cell), options, providers=["CPUExecutionProvider"])

    def predict(self, i: int) -> Any:
        """Run the graph."""
        return self._session.run(["y"], self._feeds[i])[0]

    def finish(self, value: Any) -> Any:
        """There is nothing to wait for."""
        return value


def _graph(cell: cells.Cell) -> bytes:
    nodes, initializers, last = [], [], "x"
    kind = TensorProto.DOUBLE if cell.dtype == "float64" else TensorProto.FLOAT
    layers = cells.initial_weights(cell)
    for i, (W, b) in enumerate(layers):
        initializers += [numpy_helper.from_array(W, f"W{i}"), numpy_helper.from_array(b, f"b{i}")]
        output = "y" if i == len(layers) - 1 else f"z{i}"
        nodes.append(helper.make_node("Gemm", [last, f"W{i}", f"b{i}"], [output], transB=1))
        last = output
        if output != "y" and cell.regular:
            ones, zeros = np.ones(len(b), cell.dtype), np.zeros(len(b), cell.dtype)
            names = [f"{name}{i}" for name in ("weight", "bias", "mean", "var")]
            values = zip((ones, zeros, zeros, ones), names, strict=True)
            initializers += [numpy_helper.from_array(array, name) for array, name in values]
            node = helper.make_node("BatchNormalization", [last, *names], [f"n{i}"], epsilon=cells.BN_EPS)
            nodes.append(node)
            last = f"n{i}"
        if output != "y":
            nodes.append(helper.make_node("Relu", [last], [f"h{i}"]))
            last = f"h{i}"
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        cell.model,
        [value("x", kind, [cell.batch, cell.sizes[0]])],
        [value("y", kind, [cell.batch, cell.sizes[-1]])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
