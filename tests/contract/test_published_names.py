"""A published number says itself where it stands; nobody reads that off its name."""

import ast
import re
from pathlib import Path

import yaml

from qsmstudy.dataset import published

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "resources" / "published.yaml"


def test_own_file_holds_no_key_that_nobody_knows():
    content = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))
    for entry in content["values"]:
        assert set(entry) <= set(published.KEYS), entry["id"]
    assert set(content) == {
        *("paper", "acquisition", "processing", "statistical_rules", "figures"),
        *("n_values", "values", "relations"),
    }


def words(path):
    """Text literals of a file, without docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    prose = {ast.get_docstring(node, clean=False) for node in nodes if isinstance(node, documented)}
    for node in nodes:
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and text not in prose:
            yield text, node.lineno


def test_no_code_takes_meaning_from_the_names_of_published_numbers():
    """Where a number stands is said by its cell; a name is quoted and never taken apart."""
    names = {n.name for n in published.read_published(PUBLISHED).numbers}
    parts = sorted({name.split(".")[0] for name in names})
    assert parts == ["ABS", "S3", "T1", "T2", "T3", "T4", "T5", "T6"]
    # With the dot that follows them in a name, as text, as a pattern, or alone as a key.
    part = re.compile(rf"(^|[^\w.])({'|'.join(parts)})(\\?\.\S|\\?\.?$)")
    assert all(part.search(name) for name in names)
    assert part.search(r"T3\..*\.p_fdr")
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    found = [(f.name, line, text) for f in files for text, line in words(f) if part.search(text)]
    assert found == []
