"""The rooms of the package, their one order, and who imports whom.

`python -m emovid_assets_tests.rooms [PACKAGE]` prints the imports between rooms of this package, or of another
checkout's (`../old/emovid_assets`), where every module beside the rooms counts as a room of its own.

Belongs here: reading imports out of syntax trees. Does not belong here: judging them (`test_layers`).
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "emovid_assets"
NAME = "emovid_assets"

ORDER = (
    *("core", "home", "tables", "drawing", "resources"),
    *("queries", "people", "report"),
    *("assets", "checks", "freshness", "orchestration", "definitions"),
    *("building", "pages", "demo", "cli"),
)
"""A room imports from rooms that stand before it, and from itself."""


def room_of(path: Path, package: Path = PACKAGE) -> str:
    return path.relative_to(package).parts[0].removesuffix(".py")


def imported(source: str, *, at_import_only: bool = False) -> Iterator[str]:
    """Full names of imported modules; of those inside functions only where they are asked for."""
    todo: list[ast.AST] = [ast.parse(source)]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this can read them"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if not (at_import_only and _is_passed_over_at_import(node)):
            todo.extend(ast.iter_child_nodes(node))


def _is_passed_over_at_import(node: ast.AST) -> bool:
    """Bodies of functions, and what only type checkers read."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def rooms_in(names: Iterator[str]) -> set[str]:
    """The rooms that the imported names lie in."""
    return {parts[1] for name in names if (parts := name.split("."))[0] == NAME and len(parts) > 1} - {"__version__"}


def imports_between(package: Path = PACKAGE) -> set[tuple[str, str]]:
    """Pairs (room, room that it imports from)."""
    return {
        (room, other)
        for path in package.rglob("*.py")
        if (room := room_of(path, package)) != "__init__"
        for other in rooms_in(imported(path.read_text(encoding="utf-8")))
        if other != room
    }


def main(arguments: list[str]) -> None:
    package = Path(arguments[0]).resolve() if arguments else PACKAGE
    pairs = imports_between(package)
    rooms = sorted({room_of(path, package) for path in package.rglob("*.py")} - {"__init__"})
    for room in sorted(rooms, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name)):
        sys.stdout.write(f"{room:16} {' '.join(sorted(other for one, other in pairs if one == room))}\n")
    sys.stdout.write(f"{len(rooms)} rooms, {len(pairs)} imports between them\n")


if __name__ == "__main__":
    main(sys.argv[1:])
