import gzip
import os
import subprocess
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

from qsmstudy.recon import methods
from qsmstudy.run import fingerprints

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
    monkeypatch.setattr(fingerprints, "_ROOT", root)

    def take():
        fingerprints._module.cache_clear()
        return fingerprints.fingerprint(script)

    yield root, take
    fingerprints._module.cache_clear()


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


@pytest.mark.parametrize(
    ("old", "new", "seen"),
    [("steps", "how many steps", False), ("toolbox", "ours", False), ("30", "31", True)],
)
def test_an_options_explanation_is_no_code_and_its_default_is(package, old, new, seen):
    root, take = package
    edit(root / "base.py", "SCALE = 2", 'SCALE = option(30, meaning="steps", source="toolbox")')
    before = take()
    edit(root / "base.py", old, new)
    assert (take() != before) is seen


@pytest.mark.parametrize(
    ("named", "seen"), [("qsmstudy.deep.tools:unused", True), ("qsmstudy.deep.tools:used", False)]
)
def test_an_entry_point_leads_to_its_function(package, named, seen):
    root, take = package
    edit(root / "base.py", "SCALE = 2", f'SCALE = {{"method": "{named}"}}')
    before = take()
    edit(root / "deep/tools.py", "def unused(x):\n    return x", "def unused(x):\n    return -x")
    assert (take() != before) is seen


def test_every_method_of_a_step_is_in_its_closure():
    reached = fingerprints.closure(ROOT / "scripts" / "invert_dipole.py")
    assert {method.function for method in methods.INVERSION.values()} <= set(reached)
    assert "qsmstudy.recon.solvers.gauss_newton:solve_gauss_newton" in reached
    assert "qsmstudy.recon.unwrap:romeo" not in reached


def test_names_of_settings_count():
    script = ROOT / "scripts" / "table1.py"
    swapped = [
        fingerprints.fingerprint(script, {"alpha": a, "beta": b}) for a, b in [(1, 2), (2, 1)]
    ]
    assert swapped[0] != swapped[1]


@pytest.fixture
def pinned(monkeypatch):
    """Replace what the locks pin."""

    def replace(**pins):
        monkeypatch.setattr(fingerprints, "_pins", lambda: pins)

    return replace


def test_another_pinned_version_changes_the_fingerprint_of_who_imports_it(package, pinned):
    root, take = package
    edit(root / "deep/tools.py", "import json", "import numpy as json")
    pinned(numpy="2.4.6", pandas="3.1.1")
    before = take()
    pinned(numpy="2.4.6", pandas="3.1.2")
    assert take() == before
    pinned(numpy="2.4.7", pandas="3.1.1")
    assert take() != before


def test_plan_does_not_depend_on_what_is_installed():
    """A run by pip and one whose packages conda brings later have one fingerprint."""
    script = ROOT / "scripts" / "table3.py"
    probe = """
import sys
class Refuse:
    def find_spec(self, name, *_):
        if name.split(".")[0] in ("numpy", "pandas", "scipy"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path = [p for p in sys.path if "site-packages" not in p]
from qsmstudy.run import fingerprints
print(fingerprints.fingerprint(sys.argv[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", probe, str(script)],
        capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.stdout.strip() == fingerprints.fingerprint(script)


def test_every_package_that_scripts_import_is_pinned_under_its_distribution():
    reached = set()
    for script in SCRIPTS:
        reached |= {n for n, v in fingerprints.closure(script).items() if v == "not pinned"}
    assert reached == set()
    for package, distribution in fingerprints.DISTRIBUTIONS.items():
        installed = metadata.packages_distributions()[package]
        assert [name.lower() for name in installed] == [distribution]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_closure_of_every_script_names_its_code_and_packages(script):
    reached = fingerprints.closure(script)
    assert "qsmstudy.run.job:run" in reached
    assert "unknown" not in reached.values()


def test_commit_of_no_repository_is_unknown(tmp_path):
    assert fingerprints.git_commit(tmp_path) == "unknown"


def replaced_under_an_older_date(path, content):
    date = path.stat().st_mtime
    path.write_bytes(content)
    os.utime(path, (date - 1e6, date - 1e6))
    fingerprints.content.cache_clear()


def test_fingerprint_sees_a_replaced_file_whatever_its_date(tmp_path):
    table, image = tmp_path / "table.tsv", tmp_path / "image.nii.gz"
    table.write_bytes(b"one")
    image.write_bytes(gzip.compress(bytes(100_000), mtime=0))
    seen = {fingerprints.with_contents("code", [table, image])}
    replaced_under_an_older_date(table, b"two")
    seen.add(fingerprints.with_contents("code", [table, image]))
    # One voxel of many, the same length: its beginning is equal, the checksum at its end is not.
    replaced_under_an_older_date(
        image, gzip.compress(bytes(50_000) + b"x" + bytes(49_999), mtime=0)
    )
    seen.add(fingerprints.with_contents("code", [table, image]))
    assert len(seen) == 3


def test_fingerprint_does_not_depend_on_date_or_place(tmp_path):
    here, there = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    here.write_bytes(gzip.compress(b"scan", mtime=0))
    there.write_bytes(here.read_bytes())
    os.utime(there, (0, 0))
    one, other = (fingerprints.with_contents("code", [path]) for path in (here, there))
    assert one == other
    assert fingerprints.with_contents("code", []) == "code"


def test_missing_file_and_folder_have_a_fingerprint(tmp_path):
    assert fingerprints.content(str(tmp_path / "none")) == "FileNotFoundError"
    assert fingerprints.content(str(tmp_path)) == "IsADirectoryError"
