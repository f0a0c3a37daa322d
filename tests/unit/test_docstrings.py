"""Every test says which fact it proves."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_test_states_its_fact() -> None:
    """Each test function's docstring is a sentence."""
    missing = []
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                text = ast.get_docstring(node) or ""
                if not text.rstrip().endswith("."):
                    missing.append(f"{path.relative_to(TESTS)}:{node.lineno} {node.name}")
    assert missing == []
