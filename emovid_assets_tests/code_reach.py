"""Which code an asset's results come from, read from the syntax trees: functions, classes and constants, one by one.

From the body of an asset every name that it uses is followed, through `assets` and `resources`, into `core`. What
counts are definitions of `core` and of the modules whose versions stand in code versions. Docstrings, comments,
annotations and imports do not, nor in which module a definition stands: prose, types and moves change no result.

What is not seen: methods of objects whose class is nowhere named on the way, and code of libraries.

Belongs here: reading and following. Does not belong here: what follows from a change (`definitions_snapshot`).
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from emovid_assets_tests.rooms import NAME, PACKAGE

FOLLOWED = ("core", "assets", "resources")
COUNTED = ("core", "resources.media_steps", "resources.deriving", "resources.embeddings", "resources.vlm")
"""Rooms and modules whose definitions count."""
WITHOUT_RESULT = ("core.placing", "core.redaction", "core.retry_after")
"""How a file gets its name, what a message hides, when a server is asked again: no table holds it."""
_WITHOUT_MEANING = {"annotation", "returns", "type_comment", "type_params", "ctx", "kind", "simple"}
Place = tuple[str, str]
"""(module below the package, name in it)"""


@dataclass
class Module:
    """What a module defines at its top level, and what its imports, wherever they stand, are called in it."""

    tree: ast.Module
    definitions: dict[str, ast.stmt] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for statement in self.tree.body:
            for name in _defined_by(statement):
                self.definitions[name] = statement
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self.imports |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
            elif isinstance(node, ast.Import):
                self.imports |= {one.asname: one.name for one in node.names if one.asname}


class Code:
    """The package's code as far as it is followed."""

    def __init__(self, package: Path = PACKAGE) -> None:
        self._package = package
        self._digests: dict[Place, str] = {}
        self._next: dict[Place, set[Place]] = {}

    @cached_property
    def modules(self) -> dict[str, Module]:
        paths = (path for room in FOLLOWED for path in sorted((self._package / room).rglob("*.py")))
        return {
            ".".join(path.relative_to(self._package).with_suffix("").parts).removesuffix(".__init__"): Module(
                ast.parse(path.read_text(encoding="utf-8"))
            )
            for path in paths
        }

    def reached_from(self, module: str, name: str) -> dict[str, str]:
        """Digests by name (`core.colour.hue`) of what counts and is reached from a definition."""
        seen: set[Place] = set()
        todo = [(module, name)]
        while todo:
            place = todo.pop()
            if place not in seen:
                seen.add(place)
                todo.extend(self._used_by(place))
        return {".".join(place): self._digest(place) for place in seen if _counts(place)}

    def _digest(self, place: Place) -> str:
        if place not in self._digests:
            shape = repr(_shape(self.modules[place[0]].definitions[place[1]]))
            self._digests[place] = hashlib.sha256(shape.encode()).hexdigest()[:16]
        return self._digests[place]

    def _used_by(self, place: Place) -> set[Place]:
        if place not in self._next:
            names = _names_in(_without_decorator(place, self.modules[place[0]].definitions[place[1]]))
            used = (self._resolved(place[0], parts) for parts in names)
            self._next[place] = {found for found in used if found}
        return self._next[place]

    def _resolved(self, module: str, parts: list[str]) -> Place | None:
        """What a dotted name means in a module; null for what is no definition of the package."""
        there = self.modules[module]
        if parts[0] in there.definitions:
            return module, parts[0]
        full = there.imports.get(parts[0], "")
        if not full.startswith(f"{NAME}."):
            return None
        target, *rest = full.removeprefix(f"{NAME}."), *parts[1:]
        while rest and f"{target}.{rest[0]}" in self.modules:
            target = f"{target}.{rest.pop(0)}"
        if target in self.modules:
            return self._resolved(target, rest) if rest else None
        above, _, name = target.rpartition(".")
        return self._resolved(above, [name, *rest]) if above in self.modules else None


def digest_of(reached: Mapping[str, str]) -> str:
    """One digest of all, whatever they are called."""
    return hashlib.sha256("".join(sorted(set(reached.values()))).encode()).hexdigest()[:16]


def _counts(place: Place) -> bool:
    module, name = place
    if name.endswith("VERSION") or module in WITHOUT_RESULT:
        return False
    return any(module == one or module.startswith(f"{one}.") for one in COUNTED)


def _defined_by(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        yield from (node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name))


def _parts(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The children that have a meaning when the code runs."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            is_prose = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            is_import = isinstance(child, ast.Import | ast.ImportFrom)
            if child is not None and name not in _WITHOUT_MEANING and not is_prose and not is_import:
                yield name, child


def _without_decorator(place: Place, statement: ast.stmt) -> ast.stmt:
    """An asset's decorator says what it is called and where it is shown; nothing of it is computed with."""
    if not place[0].startswith("assets.") or not isinstance(statement, ast.FunctionDef):
        return statement
    return ast.FunctionDef(name=statement.name, args=statement.args, body=statement.body, decorator_list=[])


def _names_in(node: ast.AST, own: frozenset[str] = frozenset()) -> Iterator[list[str]]:
    """Dotted names, each as its parts, but for those that stand for something of the function's own."""
    parts: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        parts.insert(0, inner.attr)
        inner = inner.value
    if isinstance(inner, ast.Name):
        if inner.id not in own:
            yield [inner.id, *parts]
        return
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        own |= _own_names(node)
    for _, child in _parts(node):
        if isinstance(child, ast.AST):
            yield from _names_in(child, own)


def _own_names(function: ast.AST) -> set[str]:
    """Parameters and variables: assets have parameters that are called like other assets."""
    inside = list(ast.walk(function))
    variables = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return variables | {node.arg for node in inside if isinstance(node, ast.arg)}


def _shape(node: object) -> object:
    """Nested tuples that are equal where code does the same, on every version of Python."""
    if not isinstance(node, ast.AST):
        return node
    # An annotation makes no other assignment of it.
    kind = "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__
    return kind, *((name.rstrip("s"), _shape(child)) for name, child in _parts(node))
