"""LiteRT (TensorFlow Lite), by litert-torch and ai-edge-quantizer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("torch", "litert-torch", "ai-edge-quantizer", "ai-edge-litert")


def convert(pt2: str, calibration: Any, file: str, int8: bool) -> None:
    """One image at a time, as phones have them; int8 weights and activations between float input and outputs."""
    import litert_torch
    import torch

    class Whole(torch.nn.Module):
        """The stored graph; the converter traces a module."""

        def __init__(self) -> None:
            super().__init__()
            self.graph = torch.export.load(pt2).module()

        def forward(self, pixel_values: torch.Tensor) -> Any:
            return self.graph(pixel_values)

    example = torch.from_numpy(calibration[:1].astype(np.float32))
    made = litert_torch.convert(Whole(), (example,))
    if not int8:
        made.export(file)
        return
    from ai_edge_quantizer import qtyping, quantizer, recipe

    float_file = str(Path(file).with_suffix(".float"))
    made.export(float_file)
    work = quantizer.Quantizer(float_file, recipe.static_wi8_ai8())
    for end in (qtyping.TFLOperationName.INPUT, qtyping.TFLOperationName.OUTPUT):
        work.update_quantization_recipe(regex=".*", operation_name=end, algorithm_key="no_quantize")
    name, given = signature(float_file)
    images = [{given: calibration[place : place + 1].astype(np.float32)} for place in range(len(calibration))]
    work.quantize(work.calibrate({name: images})).export_model(file, overwrite=True)
    Path(float_file).unlink()


def opened(file: str) -> Callable[[Any], list[Any]]:
    """From pixels [1, 3, H, W] to the outputs, on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file, num_threads=1)
    (_, given) = signature(file)
    run = interpreter.get_signature_runner()

    def answer(pixels: Any) -> list[Any]:
        said = run(**{given: pixels})
        return [said[name] for name in sorted(said)]

    return answer


def signature(file: str) -> tuple[str, str]:
    """The names of the one signature and of its input."""
    from ai_edge_litert.interpreter import Interpreter

    ((name, parts),) = Interpreter(file).get_signature_list().items()
    return name, parts["inputs"][0]


def int8_share(file: str) -> float:
    """By the type of the first input of each operator."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file)
    types = {tensor["index"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    counted = [
        types.get(operator["inputs"][0]) is np.int8
        for operator in interpreter._get_ops_details()
        if operator["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "TRANSPOSE_CONV")
    ]
    return sum(counted) / max(1, len(counted))
