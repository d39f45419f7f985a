"""Markdown, HTML and terminals are each written to in one place, where text is escaped: nothing goes past it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "emovid_assets"


@cache
def all_calls() -> list[tuple[str, str, ast.Call]]:
    """(module, what is called, call) of every call in the package."""
    return [
        (path.relative_to(PACKAGE).as_posix(), spelled(node.func).rpartition("MetadataValue.")[2], node)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]


def spelled(node: ast.expr) -> str:
    """`a.b.c`; of other things only what stands behind them."""
    if isinstance(node, ast.Attribute):
        return f"{spelled(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def calls(*names: str) -> list[tuple[str, ast.Call]]:
    """(module, call) of every call of a function or method that is spelled so."""
    return [(module, node) for module, called, node in all_calls() if called in names]


def words_put_in(node: ast.AST) -> Iterator[str]:
    """What is put into a text that is not written out in the program."""
    for part in ast.walk(node):
        if isinstance(part, ast.FormattedValue):
            yield ast.unparse(part.value)


def test_markdown_holds_nothing_that_is_not_escaped() -> None:
    # What `kept_pictures` writes was Markdown before: it puts addresses of ours into it.
    found = [(module, node) for module, node in calls("md") if module != "assets/kept_pictures.py"]
    assert {module for module, _ in found} == {"assets/table_asset.py", "assets/pictures.py"}
    put_in = {words for _, node in found for words in words_put_in(node)}
    # Pictures are drawn here; their address holds them.
    assert put_in == {"for_markdown(title)", "address", "standalone(figure)", "for_markdown(sentence)"}


def test_html_is_put_together_in_drawing_alone() -> None:
    written = {(module, *map(ast.unparse, node.args)) for module, node in calls("Markup")}
    elsewhere = {call for call in written if not call[0].startswith("drawing/")}
    assert elsewhere == {
        ("people/how_to_answer.py", "_STYLE"),
        ("people/study_files.py", "_STYLE"),
        # JSON without `<`: nothing of a prompt can end the script.
        ("people/study_files.py", "f'<script>const study = {text};\\n{script}</script>'"),
        ("report/exhibits.py",),
        ("report/page.py", "style"),
    }


def test_terminals_are_written_to_through_consoles_that_escape() -> None:
    assert {module for module, _ in calls("Console")} == {"queries/running.py"}
    assert {module for module, _ in calls("PlainConsole")} == {"cli/shared.py"}
    assert calls("print", "typer.echo") == []


def test_every_prompt_is_filled_in_by_the_class_that_cleans_what_is_put_in() -> None:
    formatting = {module for module, node in calls("self.text.format") if node.keywords}
    assert formatting == {"core/vlm/prompts.py"}


def test_tables_of_people_are_read_by_one_reader() -> None:
    readers = {module for module, _ in calls("csv.reader", "csv.DictReader", "csv.Sniffer", "pd.read_csv")}
    assert readers == {"core/csv_text.py", "core/filled_tables.py"}
    assert {module for module, _ in calls("csv_text.Table")} == {"core/filled_tables.py"}
