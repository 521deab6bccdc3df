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


def located(name: str, what: str) -> tuple[Path, str]:
    """`code.py:function` as path and function; `what` is what it stands for ("model"). Raises InputError when it is not
    of that form or the file is missing.
    """
    path, _, function = name.rpartition(":")
    if not path or not function.isidentifier():
        raise InputError(
            f"A local {what} is named by its file and function",
            found=f"file:{name}",
            allowed="file:PATH.py:FUNCTION",
        )
    found = Path(path).expanduser()
    if not found.is_file():
        raise InputError(
            f"The {what}'s file must exist", found=path, next_step="check the path in file:PATH.py:FUNCTION"
        )
    return found, function


def function_in(path: Path, function: str) -> Callable[..., Any]:
    """The function of this name. Raises InputError where the file does not run or has none."""
    module = _imported(path)
    found = getattr(module, function, None)
    if not callable(found):
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise unknown(f"function in {path.name}", function, functions)
    return found  # type: ignore[no-any-return]  # what it returns is checked when it is called


def broken(name: str, error: Exception) -> InputError:
    """The error for code that does not run."""
    return InputError(
        f"The code of {name} must run without arguments",
        found=f"{type(error).__name__}: {error}",
        next_step="correct the file; --debug shows where it failed",
    )


def _imported(path: Path) -> ModuleType:
    """Run the file as a module under a name of its own: dataclasses and pickles look their module up by name."""
    name = f"azeotrope_user_{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError("A local function is in a Python file", found=path.name, allowed="a name that ends in .py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the person's code
        del sys.modules[name]
        raise broken(f"file:{path}", error) from error
    return module
