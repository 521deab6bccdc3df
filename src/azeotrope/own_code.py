"""A person's own function in a file of their own: `PATH.py:FUNCTION`.

This runs the named file, on this machine and because the person asked for it; nothing is ever fetched.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from azeotrope.errors import InputError
from azeotrope.lookup import unknown

FILE = "file:"  # before the name of a person's own function
FAILURES = (Exception, SystemExit)  # of a person's code: sys.exit in it would end the program without a word


def located(name: str, what: str) -> tuple[Path, str]:
    """`code.py:function` as path and function; `what` is what it stands for ("model"). Raises InputError when it is not
    of that form or the file is missing.
    """
    path, _, function = name.rpartition(":")
    if not path or not function.isidentifier():
        raise InputError(
            f"A local {what} is named by its file and function",
            found=f"{FILE}{name}",
            allowed="file:PATH.py:FUNCTION",
        )
    found = Path(path).expanduser()
    if not found.is_file():
        raise InputError(
            f"The {what}'s file must exist", found=path, next_step="check the path in file:PATH.py:FUNCTION"
        )
    return found, function


def function_in(path: Path, function: str, what: str) -> Callable[..., Any]:
    """The function of this name in the file of a `what` ("model"). Raises InputError where the file cannot be imported
    or has no such function.
    """
    module = _imported(path, what)
    found = getattr(module, function, None)
    if not callable(found):
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown(f"function in {path.name}", function, functions)
    return found  # type: ignore[no-any-return]  # what it returns is checked when it is called


def broken(rule: str, error: BaseException) -> InputError:
    """The error for code that does not run as the rule says."""
    return InputError(
        rule,
        found=f"{type(error).__name__}: {error}",
        next_step="correct the file; --debug shows where it failed",
    )


def _imported(path: Path, what: str) -> ModuleType:
    """Run the file as a module under a name of its own: dataclasses and pickles look their module up by name."""
    name = f"azeotrope_user_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError("A local function is in a Python file", found=path.name, allowed="a name that ends in .py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except FAILURES as error:
        del sys.modules[name]
        raise broken(f"The {what}'s file {path} must be importable", error) from error
    return module
