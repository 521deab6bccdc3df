"""The backends that run in an environment of their own, and what they require.

LiteRT's and ExecuTorch's packages pin torch or its companions below what azeotrope takes.
"""

from azeotrope.exporting.environment import Backend

LITERT = Backend("litert", ("litert-torch>=0.10", "ai-edge-quantizer>=0.10", "torch>=2.13,<2.15"))
EXECUTORCH = Backend("executorch", ("executorch>=1.5", "torchao>=0.18,<0.19", "torch>=2.13"))
