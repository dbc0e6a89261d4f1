"""A public name of the library says what it is by itself: no two modules define the same one."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "qsmstudy"
#: The one logger of the library, which every module that logs binds to this name.
SHARED = {"log"}


def defined(tree):
    """Return the public names that a module defines at its top; imported ones do not count."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = (part for target in targets for part in ast.walk(target))  # ``A, B = 1, 2``
            names = (part for part in parts if isinstance(part, ast.Name))
            yield from (name.id for name in names if isinstance(name.ctx, ast.Store))


def test_no_public_name_is_defined_in_two_modules():
    homes = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in defined(ast.parse(path.read_text(encoding="utf-8"))):
            if not name.startswith("_") and name not in SHARED:
                homes[name].append(str(path.relative_to(PACKAGE)))
    assert len(homes) > 500  # the walk has seen the library
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
