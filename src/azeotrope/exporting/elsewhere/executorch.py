"""ExecuTorch with XNNPACK, quantised by torchao's PT2E."""

import json
import re
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

_INSIDE = ("XNNConv2d", "XNNDepthwiseConv2d", "XNNConvTranspose2d", "XNNFullyConnected", "XNNBatchMatrixMultiply")
_OUTSIDE = ("convolution", "mm", "addmm", "bmm", "linear")


def convert(source: str, images: Any, file: str) -> None:
    """One image at a time; what XNNPACK does not know stays with ExecuTorch's own kernels."""
    graph, example = _traced(source, images)
    _write(graph, example, file)


def quantise(source: str, images: Any, file: str, layer_norm: bool) -> None:
    """Static, symmetric, a scale a channel, by XNNPACK's own quantizer; GELU, softmax and LayerNorm stay in float. So
    does the normalisation of the input, and of a network with LayerNorms (ViT, ConvNeXt) all but convolutions and
    products with weights.
    """
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    graph, example = _traced(source, images)
    weighted = {torch.ops.aten.conv2d.default, torch.ops.aten.linear.default}
    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    quantizer.set_filter_function(
        lambda node: (
            node.target in weighted
            or not (layer_norm or any(given.op == "placeholder" for given in node.all_input_nodes))
        )
    )
    prepared = prepare_pt2e(graph.module(), quantizer)
    with torch.no_grad():
        for place in range(len(images)):
            prepared(torch.from_numpy(images[place : place + 1].astype(np.float32)))
    _write(torch.export.export(convert_pt2e(prepared), example), example, file)


def opened(file: str) -> Callable[[Any], list[Any]]:
    """From pixels [1, bands, H, W] to the outputs, on one thread."""
    import torch
    from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
    from executorch.runtime import Runtime

    _unsafe_reset_threadpool(1)
    program = Runtime.get().load_program(file)
    method = program.load_method("forward")
    return lambda pixels: [said.numpy().copy() for said in method.execute([torch.from_numpy(pixels)])]


def in_8_bits(file: str) -> list[bool]:
    """From the file: of each convolution and matrix product whether XNNPACK has it with 8-bit input; what stayed
    outside of XNNPACK is in float.
    """
    from executorch.exir._serialize._program import deserialize_pte_binary

    found = list[bool]()
    program = deserialize_pte_binary(Path(file).read_bytes()).program
    for plan in program.execution_plan:
        names = [operator.name.split("::")[-1] for operator in plan.operators]
        calls = [each.instr_args for chain in plan.chains for each in chain.instructions]
        found += [False for call in calls if hasattr(call, "op_index") and names[call.op_index] in _OUTSIDE]
        for delegate in plan.delegates:
            found += _of_delegate(bytes(program.backend_delegate_data[delegate.processed.index].data))
    return found


def _traced(source: str, images: Any) -> tuple[Any, tuple[Any, ...]]:
    import torch

    example = (torch.from_numpy(images[:1].astype(np.float32)),)
    return torch.export.export(torch.export.load(source).module(), example), example


def _write(graph: Any, example: tuple[Any, ...], file: str) -> None:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    lowered = to_edge_transform_and_lower(graph, partitioner=[XnnpackPartitioner()])
    Path(file).write_bytes(lowered.to_executorch().buffer)


def _of_delegate(blob: bytes) -> list[bool]:
    """Of each convolution and matrix product in a graph of XNNPACK, whether its input is quantised."""
    from executorch.backends.xnnpack.serialization.xnnpack_graph_serialize import XNNHeader
    from executorch.exir._serialize._flatbuffer import _flatc_decompile

    header = XNNHeader.from_bytes(blob[: XNNHeader.EXPECTED_LENGTH])
    with tempfile.TemporaryDirectory() as folder:
        schema, graph = Path(folder) / "schema.fbs", Path(folder) / "graph.bin"
        schema.write_bytes(files("executorch.backends.xnnpack.serialization").joinpath("schema.fbs").read_bytes())
        graph.write_bytes(blob[header.flatbuffer_offset :][: header.flatbuffer_size])
        _flatc_decompile(folder, str(schema), str(graph), ["--raw-binary"])
        text = graph.with_suffix(".json").read_text(encoding="utf-8")
    content = json.loads(re.sub(r":\s*(-?(?:inf|nan))\b", r': "\1"', text))  # flatc writes infinity as C does
    types = {_tensor(value): value["xvalue_union_type"] for value in content["xvalues"]}
    nodes = [node["xnode_union"] for node in content["xnodes"] if node["xnode_union_type"] in _INSIDE]
    return [types[node.get("input1_id", node.get("input_id"))] == "XNNQuantizedTensorValue" for node in nodes]


def _tensor(value: Any) -> int:
    """The number by which nodes name a tensor of the graph."""
    union = value["xvalue_union"]
    return int(union.get("tensor_value", union)["id_out"])
