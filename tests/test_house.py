"""The house rules that a machine can check: rooms import only to their left, files and functions stay small."""

import ast
from pathlib import Path

import pytest

import limbeck

PACKAGE = Path(limbeck.__file__).parent
ROOMS = [
    "data",
    "networks",
    "training",
    "synthetic",
    "matching",
    "distillation",
    "evaluation",
    "study",
    "laws",
    "report",
]
RANK = {room: place for place, room in enumerate(ROOMS)}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str:
    """The second part of a module's name: a room, or a module beside the rooms."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imports(path: Path) -> set[str]:
    """Modules of limbeck that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{a.name}" for a in node.names if node.module == "limbeck"}
    return {name for name in found if name.startswith("limbeck.")}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_rooms_import_only_from_their_left(path: Path) -> None:
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in imports(path):
        there = room_of(module)
        if here in RANK and there in RANK:
            assert RANK[there] <= RANK[here], f"{here} imports {module}, which is to its right"
        if here in RANK:
            assert there not in ("cli", "testing"), f"{here} imports {module}"
        elif here not in ("cli", "testing", "__init__", "cite") and there in RANK:
            pytest.fail(f"{here} lies below the rooms and imports {module}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
            assert node.end_lineno - node.lineno < 90, f"{node.name} is {node.end_lineno - node.lineno} lines long"


def test_only_the_evaluation_opens_the_test_split() -> None:
    for path in FILES:
        if "evaluation" not in path.parts:
            assert ".test.open(" not in path.read_text(), path


def test_no_pickle_and_no_global_randomness() -> None:
    for path in FILES:
        text = path.read_text()
        for word in (
            "import pickle",
            " torch.load(",
            " torch.save(",
            "manual_seed_all",
            "np.random.seed",
            "random.seed(",
        ):
            assert word not in text, f"{path} says {word}"


def test_public_names_are_sorted_and_there() -> None:
    assert limbeck.__all__ == sorted(limbeck.__all__)
    for name in limbeck.__all__:
        assert getattr(limbeck, name) is not None


def test_importing_limbeck_loads_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, limbeck, limbeck.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
