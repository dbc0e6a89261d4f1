import textwrap
from pathlib import Path

import pytest

from qsmstudy import provenance

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A miniature of the package: a script that uses one of two functions of a module."""
    root = tmp_path / "qsmstudy"
    write(root / "__init__.py", "")
    write(root / "deep/__init__.py", "")
    write(
        root / "deep/tools.py",
        '''
        import json
        from qsmstudy.base import SCALE

        def used(x):
            """Doc."""
            return helper(x)  # why

        def helper(x):
            return x * SCALE

        def unused(x):
            return x
        ''',
    )
    write(root / "base.py", "SCALE = 2\nOTHER = 3\n")
    script = tmp_path / "script.py"
    write(script, "from qsmstudy.deep import tools\nprint(tools.used(1))\n")
    monkeypatch.setattr(provenance, "_ROOT", root)

    def take():
        provenance._module.cache_clear()
        return provenance.fingerprint(script)

    yield root, take
    provenance._module.cache_clear()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("deep/tools.py", "return helper(x)", "return helper(x + 0)"),
        ("deep/tools.py", "x * SCALE", "SCALE * x"),
        ("base.py", "SCALE = 2", "SCALE = 4"),
        ("deep/tools.py", "import json", "import html as json"),
    ],
)
def test_an_edit_that_the_script_reaches_changes_the_fingerprint(package, file, old, new):
    root, take = package
    before = take()
    edit(root / file, old, new)
    changed = take()
    edit(root / file, new, old)
    assert before != changed
    assert take() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("deep/tools.py", "# why", "# because"),
        ("deep/tools.py", '"""Doc."""', '"""Docstring."""'),
        ("deep/tools.py", "def unused(x):\n    return x", "def unused(x):\n    return -x"),
        ("base.py", "OTHER = 3", "OTHER = 5"),
    ],
)
def test_other_edits_do_not(package, file, old, new):
    root, take = package
    before = take()
    edit(root / file, old, new)
    assert take() == before


def test_names_of_settings_count():
    script = ROOT / "scripts" / "table1.py"
    swapped = [provenance.fingerprint(script, {"alpha": a, "beta": b}) for a, b in [(1, 2), (2, 1)]]
    assert swapped[0] != swapped[1]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_closure_of_every_script_names_its_code_and_packages(script):
    reached = provenance.closure(script)
    assert "qsmstudy.job:run" in reached
    assert "unknown" not in reached.values()


def test_commit_of_no_repository_is_unknown(tmp_path):
    assert provenance.git_commit(tmp_path) == "unknown"
