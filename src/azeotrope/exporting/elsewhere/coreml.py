"""Core ML, by coremltools, which converts on every system; only Apple's run the file."""

from pathlib import Path
from typing import Any

import numpy as np


def convert(source: str, images: Any, file: str) -> None:
    """An ML program in 32-bit floats, one image at a time, in the folder of the manifest `file`."""
    import coremltools
    import torch

    example = (torch.from_numpy(images[:1].astype(np.float32)),)
    graph = torch.export.export(torch.export.load(source).module(), example).run_decompositions({})
    made = coremltools.convert(
        graph,
        convert_to="mlprogram",
        compute_precision=coremltools.precision.FLOAT32,
        minimum_deployment_target=coremltools.target.iOS17,
        skip_model_load=True,
    )
    package = Path(file).parent
    made.save(str(package))
    (package / "executorch_debug_handle_mapping.json").unlink(missing_ok=True)  # of no use to a device
