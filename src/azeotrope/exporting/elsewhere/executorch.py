"""ExecuTorch with XNNPACK, quantised by torchao's PT2E."""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("torch", "executorch", "torchao")
INSIDE = ("XNNConv2d", "XNNDepthwiseConv2d", "XNNConvTranspose2d", "XNNFullyConnected", "XNNBatchMatrixMultiply")
OUTSIDE = ("convolution", "mm", "addmm", "bmm", "linear")


def convert(pt2: str, calibration: Any, file: str, int8: bool) -> None:
    """One image at a time; what XNNPACK does not know stays with ExecuTorch's own kernels."""
    import torch
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    module = torch.export.load(pt2).module()
    example = (torch.from_numpy(calibration[:1].astype(np.float32)),)
    graph = torch.export.export(module, example)
    if int8:
        graph = torch.export.export(quantised(graph.module(), calibration), example)
    lowered = to_edge_transform_and_lower(graph, partitioner=[XnnpackPartitioner()])
    Path(file).write_bytes(lowered.to_executorch().buffer)


def quantised(module: Any, calibration: Any) -> Any:
    """Static, symmetric, weights per channel, by XNNPACK's own quantizer."""
    import torch
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(module, quantizer)
    with torch.no_grad():
        for place in range(len(calibration)):
            prepared(torch.from_numpy(calibration[place : place + 1].astype(np.float32)))
    return convert_pt2e(prepared)


def opened(file: str) -> Callable[[Any], list[Any]]:
    """From pixels [1, 3, H, W] to the outputs."""
    import torch
    from executorch.runtime import Runtime

    torch.set_num_threads(1)
    method = Runtime.get().load_program(file).load_method("forward")
    return lambda pixels: [said.numpy().copy() for said in method.execute([torch.from_numpy(pixels)])]


def int8_share(file: str) -> float:
    """From the file: operators that XNNPACK got with 8-bit inputs, among those and what stayed outside of it."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    program = deserialize_pte_binary(Path(file).read_bytes()).program
    counted = [False] * sum(
        operator.name.split("::")[-1] in OUTSIDE for plan in program.execution_plan for operator in plan.operators
    )
    for plan in program.execution_plan:
        for delegate in plan.delegates:
            counted += in_8_bits(bytes(program.backend_delegate_data[delegate.processed.index].data))
    return sum(counted) / max(1, len(counted))


def in_8_bits(blob: bytes) -> list[bool]:
    """Of each convolution and matrix product in a graph of XNNPACK, whether its input is quantised."""
    from importlib.resources import files

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
    types = {number: value["xvalue_union_type"] for number, value in enumerate(content["xvalues"])}
    ids = {tensor_id(value): types[number] for number, value in enumerate(content["xvalues"])}
    nodes = [node["xnode_union"] for node in content["xnodes"] if node["xnode_union_type"] in INSIDE]
    return [ids[node.get("input1_id", node.get("input_id"))] == "XNNQuantizedTensorValue" for node in nodes]


def tensor_id(value: Any) -> int:
    """The number by which nodes name a tensor of the graph."""
    union = value["xvalue_union"]
    return int(union.get("tensor_value", union)["id_out"])
