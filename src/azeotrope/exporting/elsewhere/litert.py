"""LiteRT (TensorFlow Lite), by litert-torch and ai-edge-quantizer."""

from collections.abc import Callable
from typing import Any

import numpy as np

WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE", "FULLY_CONNECTED")
BETWEEN = (
    *("ADD", "AVERAGE_POOL_2D", "CONCATENATION", "HARD_SWISH", "MAX_POOL_2D", "MEAN", "MUL", "PAD", "RELU"),
    *("RESHAPE", "SUM", "TRANSPOSE"),
)
"""What keeps 8 bits from one convolution to the next; in float where a network has LayerNorms (ViT, ConvNeXt). Softmax
and GELU are always in float.
"""
_COUNTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "BATCH_MATMUL")


def convert(source: str, images: Any, file: str) -> None:
    """One image at a time, as phones have them."""
    import litert_torch
    import torch

    module = torch.export.load(source).module()
    litert_torch.convert(module, (torch.from_numpy(images[:1].astype(np.float32)),)).export(file)


def quantise(source: str, images: Any, file: str, layer_norm: bool) -> None:
    """From the float file: 8-bit weights (a scale a channel) and activations between float input and outputs."""
    from ai_edge_quantizer import qtyping, quantizer
    from ai_edge_quantizer.recipe_manager import RecipeManager

    recipe = RecipeManager()
    for name in (*WEIGHTED, *(() if layer_norm else BETWEEN)):
        recipe.add_static_config(".*", qtyping.TFLOperationName(name), activation_num_bits=8, weight_num_bits=8)
    work = quantizer.Quantizer(source, recipe.get_quantization_recipe())
    name, given = _signature(source)
    shown = [{given: images[place : place + 1].astype(np.float32)} for place in range(len(images))]
    work.quantize(work.calibrate({name: shown})).export_model(file, overwrite=True)
    _name_outputs(source, file)


def opened(file: str) -> Callable[[Any], list[Any]]:
    """From pixels [1, bands, H, W] to the outputs, on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file, num_threads=1)
    name, given = _signature(file)
    run = interpreter.get_signature_runner(name)

    def answer(pixels: Any) -> list[Any]:
        said = run(**{given: pixels})
        return [said[key] for key in sorted(said)]  # output_0, output_1

    return answer


def in_8_bits(file: str) -> list[bool]:
    """Of each convolution and matrix product, whether its first input is of 8-bit integers."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file)
    types = {tensor["index"]: tensor["dtype"] for tensor in interpreter.get_tensor_details()}
    return [
        types.get(operator["inputs"][0]) is np.int8
        for operator in interpreter._get_ops_details()
        if operator["op_name"] in _COUNTED
    ]


def _name_outputs(source: str, file: str) -> None:
    """Point each name of the signature at what the graph returns, as in the float file. Where a float operator reads an
    output too (the softmax reads the logits), ai-edge-quantizer 0.10 leaves the name at the tensor of 8 bits.
    """
    from ai_edge_litert.tools.flatbuffer_utils import read_model, write_model

    before, after = read_model(source), read_model(file)
    for was, item in zip(before.signatureDefs[0].outputs, after.signatureDefs[0].outputs, strict=True):
        place = list(before.subgraphs[0].outputs).index(was.tensorIndex)
        item.tensorIndex = after.subgraphs[0].outputs[place]
    write_model(after, file)


def _signature(file: str) -> tuple[str, str]:
    """The names of the one signature and of its input."""
    from ai_edge_litert.interpreter import Interpreter

    ((name, parts),) = Interpreter(file).get_signature_list().items()
    return name, parts["inputs"][0]
