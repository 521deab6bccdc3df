"""The environments of targets that need their own, for tests that run with the real packages.

AZEOTROPE_TARGETS names the targets whose packages are here; by default those of the extra `export`, which `dev` holds.
AZEOTROPE_TARGET_ENV is what `--env` takes, for targets that run in an environment of their own; what it makes is kept.
"""

import os
from contextlib import contextmanager

import pytest

from azeotrope.data.sources._places import cache_root
from azeotrope.exporting.environment import prepare
from azeotrope.exporting.target import backends_of, named, target_named

HERE = named(os.environ.get("AZEOTROPE_TARGETS", "onnx,onnx-int8,pt2"))
ELSEWHERE = [key for key in HERE if hasattr(target_named(key), "BACKEND")]


KEPT = cache_root()  # of the person who runs the tests, before the tests have one of their own


@contextmanager
def environments(cache):
    """Those of `HERE`, found or made in the person's cache, and named in the tests' own."""
    backends = backends_of(HERE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZEOTROPE_CACHE", str(KEPT))
        prepare(backends, os.environ.get("AZEOTROPE_TARGET_ENV"), print)
        pythons = [str(backend.python()) for backend in backends]
        patch.setenv("AZEOTROPE_CACHE", str(cache))
        for backend, python in zip(backends, pythons, strict=True):
            prepare([backend], python, print)
        yield
