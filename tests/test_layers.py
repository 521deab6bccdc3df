"""The hourglass, enforced: a folder imports only from its left, and the half that reads records never needs torch."""

import ast
import importlib.util
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import azeotrope

SOURCE = Path(__file__).parents[1] / "src" / "azeotrope"
BASE = {"errors", "lookup", "own_code", "spec", "labels", "terms", "recipe", "arm", "plan"}

# Each entry may import itself, the base files and what is listed. Two chains meet in `record`.
TORCH_HALF = [
    "kinds",
    "data",
    "devices",
    "models",
    "teacher",
    "losses",
    "train",
    "strategies",
    "synthesis",
    "exporting",
    "sweeping",
]
NUMPY_HALF = [
    "trackers",
    "tables",
    "laws",
    "solver",
    "curves",
    "fitting",
    "verdicts",
    "boundaries",
    "planning",
    "advice",
    "diagnosis",
    "reporting",
    "analysis",
]
MAY_IMPORT = {
    "__init__": {
        "record",
        *TORCH_HALF,
        *NUMPY_HALF,
        "session",
        "api",
    },  # for type checkers, see `test_top`
    "__main__": {"cli"},
    "record": set(),
    **{folder: {"record", *TORCH_HALF[:place]} for place, folder in enumerate(TORCH_HALF)},
    **{folder: {"record", *NUMPY_HALF[:place]} for place, folder in enumerate(NUMPY_HALF)},
    "testing": {"record", *TORCH_HALF, *NUMPY_HALF},
    "session": {"record", *TORCH_HALF, *NUMPY_HALF},
    "api": {"record", *TORCH_HALF, *NUMPY_HALF, "session"},
    "cli": {"record", *TORCH_HALF, *NUMPY_HALF, "session", "api"},
}
NEEDS_TORCH = ("torch", "torchvision", "timm", "accelerate")
WITHOUT_TORCH = ["record", *NUMPY_HALF]
LAZY = [
    "azeotrope",
    *(f"azeotrope.api.{name}" for name in ("fit", "boundary", "advise", "report")),
    "azeotrope.cli.__main__",
]


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports anywhere, also inside functions; relative imports are resolved."""
    package = ["azeotrope", *path.relative_to(SOURCE).parent.parts]
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def folder_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def own_imports(path: Path) -> set[str]:
    """The folders and base files of azeotrope that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("azeotrope.")}


def files(*folders: str) -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if not folders or folder_of(path) in folders)


def public_files() -> list[Path]:
    return [path for path in files("api") if path.stem != "__init__"]


def public_names(path: Path) -> tuple[dict[str, ast.FunctionDef], set[str]]:
    """The functions and the classes that a file defines and that have no underscore."""
    defined = ast.parse(path.read_text(encoding="utf-8")).body
    functions = {node.name: node for node in defined if isinstance(node, ast.FunctionDef)}
    classes = {node.name for node in defined if isinstance(node, ast.ClassDef)}
    return (
        {name: node for name, node in functions.items() if not name.startswith("_")},
        {name for name in classes if not name.startswith("_")},
    )


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_only_from_its_left(path):
    folder = folder_of(path)
    if folder in BASE:
        allowed = BASE
    else:
        assert folder in MAY_IMPORT, f"{folder} has no place in the layer order; give it one, here and in docs"
        allowed = BASE | {folder} | MAY_IMPORT[folder] | {"__version__"}
    assert own_imports(path) <= allowed


@pytest.mark.parametrize("path", files(*WITHOUT_TORCH), ids=lambda path: str(path.relative_to(SOURCE)))
def test_the_numpy_half_never_names_torch(path):
    assert not {name.split(".")[0] for name in imported(path)} & set(NEEDS_TORCH)


def test_the_order_would_catch_a_wrong_import(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    (tmp_path / "data").mkdir()
    wrong = tmp_path / "data" / "pack.py"
    wrong.write_text("def f():\n    from ..train import loop\n    import azeotrope.record.run\n")
    assert own_imports(wrong) == {"train", "record"}
    assert not own_imports(wrong) <= BASE | {"data"} | MAY_IMPORT["data"]


@pytest.mark.parametrize("path", public_files(), ids=lambda path: path.stem)
def test_a_file_of_api_defines_its_public_function_and_what_that_returns(path):
    functions, classes = public_names(path)
    assert list(functions) == [path.stem], "what several functions share belongs in session/ or analysis/"
    returned = {node.id for node in ast.walk(functions[path.stem].returns) if isinstance(node, ast.Name)}
    assert classes <= returned, "beside the function only the shape that it returns"


def test_every_public_function_has_its_file():
    functions = {name for name in azeotrope.__all__ if name.islower() and not name.startswith("_")}
    assert functions <= {path.stem for path in public_files()}


def test_a_second_function_would_be_caught(tmp_path):
    wrong = tmp_path / "fit.py"
    wrong.write_text("class Shape: ...\ndef fit() -> int: ...\ndef axes_of() -> int: ...\ndef _private() -> int: ...\n")
    functions, classes = public_names(wrong)
    assert (list(functions), classes) == (["fit", "axes_of"], {"Shape"})


# One file is one member, so there are as many files as members.
FAMILIES = {"laws", "losses", "api", "cli", "data/sources", "exporting/targets"}
MOST_FILES = 12


def folders() -> list[Path]:
    return sorted({path.parent for path in files()})


def rooms(folder: Path) -> dict[str, set[str]]:
    """The rooms of a folder, each with those beside it that it imports."""
    names = {path.name for path in folders() if path.parent == folder}
    start = len(["azeotrope", *folder.relative_to(SOURCE).parts])
    return {
        name: {
            module.split(".")[start]
            for path in (folder / name).rglob("*.py")
            for module in imported(path)
            if module.startswith(".".join(["azeotrope", *folder.relative_to(SOURCE).parts, ""]))
        }
        & names - {name}
        for name in names
    }


@pytest.mark.parametrize("folder", folders(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_folder_holds_a_dozen_files_but_for_families(folder):
    assert folder.relative_to(SOURCE).as_posix() in FAMILIES or len(list(folder.glob("[!_]*.py"))) <= MOST_FILES


@pytest.mark.parametrize(
    "folder",
    [folder for folder in folders() if folder != SOURCE and rooms(folder)],
    ids=lambda path: path.relative_to(SOURCE).as_posix(),
)
def test_no_two_rooms_of_a_folder_import_each_other(folder):
    """The order that `TopologicalSorter` finds has no circle, or it raises CycleError."""
    list(TopologicalSorter(rooms(folder)).static_order())


def test_a_circle_of_rooms_would_be_caught(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "SOURCE", tmp_path)
    for room, other in (("listing", "packing"), ("packing", "listing")):
        (tmp_path / "data" / room).mkdir(parents=True)
        (tmp_path / "data" / room / "file.py").write_text(f"from azeotrope.data.{other} import file\n")
    assert rooms(tmp_path / "data") == {"listing": {"packing"}, "packing": {"listing"}}
    with pytest.raises(CycleError):
        list(TopologicalSorter(rooms(tmp_path / "data")).static_order())


BLOCK = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {NEEDS_TORCH!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())  # None in sys.modules would do, but SciPy looks there for torch and trips over it
"""


def without_torch(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter in which torch, torchvision, timm and accelerate are not installed."""
    return subprocess.run([sys.executable, "-c", BLOCK + code, *arguments], capture_output=True, text=True, check=False)


def modules() -> list[str]:
    numpy_half = [
        ".".join(["azeotrope", *path.relative_to(SOURCE).with_suffix("").parts]) for path in files(*WITHOUT_TORCH)
    ]
    return [*(name.removesuffix(".__init__") for name in numpy_half), *filter(_exists, LAZY)]


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_the_numpy_half_imports_where_torch_is_not_installed():
    done = without_torch("import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)", *modules())
    assert done.returncode == 0, done.stderr


def test_the_block_blocks():
    assert "ModuleNotFoundError" in without_torch("import torch").stderr


@pytest.mark.skipif(not _exists("azeotrope.cli.__main__"), reason="the command line is not there yet")
@pytest.mark.parametrize("command", [[], ["fit"], ["boundary"], ["report"]])
def test_help_is_shown_where_torch_is_not_installed(command):
    code = "import sys\nfrom azeotrope.cli.__main__ import main\nsys.argv[0] = 'azeotrope'\nsys.exit(main())"
    done = without_torch(code, *command, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
