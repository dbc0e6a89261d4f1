"""The file of published numbers: what is read, what is refused, and how."""

from pathlib import Path

import pytest
import yaml

from qsmstudy.dataset import published
from qsmstudy.dataset.published import TablePlace
from qsmstudy.errors import StudyError

OWN = Path(__file__).resolve().parents[2] / "resources" / "published.yaml"
ENTRY = {"id": "a", "value": 0.12, "decimals": 2}
CELL = {"table": "table3", "row": {"roi": "CN"}, "column": "mean"}


def read(tmp_path, *entries, **more):
    path = tmp_path / "paper.yaml"
    path.write_text(yaml.safe_dump({"values": list(entries), **more}), encoding="utf-8")
    return published.read_published(path)


def test_own_file_is_read_with_a_cell_for_every_number():
    numbers = published.read_published(OWN).numbers
    assert len(numbers) == 339
    assert all(number.cell and number.kind in published.CLASSES for number in numbers)


def test_fields_are_those_of_the_file(tmp_path):
    more = {"op": "<", "cls": "convention", "n": 34, "note": "Welch", "source": "Table 3"}
    cell = CELL | {"except": {"group": "all"}, "reduce": "min"}
    (number,) = read(tmp_path, ENTRY | more | {"cell": cell}).numbers
    assert (number.name, number.value, number.decimals, number.op) == ("a", 0.12, 2, "<")
    assert (number.kind, number.n, number.note) == ("convention", 34, "Welch")
    assert number.source == "Table 3"
    assert number.cell == TablePlace("table3", ("mean",), {"roi": "CN"}, {"group": "all"}, "min")


def test_file_for_the_audit_needs_no_cell_and_may_hold_remarks(tmp_path):
    paper = read(tmp_path, ENTRY | {"page": 4}, relations=[{"check": "total"}], author="N. N.")
    assert paper.numbers[0].cell is None
    assert paper.relations == [{"check": "total"}]
    assert paper.paper.endswith("paper.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": "0.1"}, "value must be a number; got '0.1'"),
        ({"value": True}, "value must be a number; got True"),
        ({"decimals": -1}, "decimals must be 0 or more; got -1"),
        ({"n": 0}, "n must be a number of cases, 1 or more; got 0"),
        ({"op": "="}, "op must be < or >; got '='"),
        ({"cls": "odd"}, "cls must be consistent or convention or"),
        ({"decimal": 3}, "unknown key decimal. Did you mean decimals?"),
        ({"opp": "<"}, "unknown key opp. Did you mean op?"),
        ({"cells": CELL}, "unknown key cells. Did you mean cell?"),
    ],
)
def test_wrong_entry_is_refused_by_place(tmp_path, change, words):
    with pytest.raises(StudyError, match=r"paper\.yaml: value 2 \(b\): ") as caught:
        read(tmp_path, ENTRY, ENTRY | {"id": "b"} | change)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("table3", "must have table and column, perhaps row; got 'table3'"),
        ({"table": "table3"}, "must have table and column"),
        (CELL | {"rows": {}}, "unknown key rows. A cell has table, row, except, column, reduce"),
        (CELL | {"row": "CN"}, "row must map columns to values; got 'CN'"),
        (CELL | {"except": ["x"]}, "except must map columns to values; got ['x']"),
        (CELL | {"row": {"side": False}}, "must be words; got False. Quote it."),
        (CELL | {"column": 3}, "must be words; got 3. Quote it."),
        (CELL | {"column": []}, "column must name one or more columns; got []"),
        (CELL | {"reduce": "mean"}, "reduce must be min or max; got 'mean'"),
    ],
)
def test_wrong_cell_is_refused_by_place(tmp_path, cell, words):
    with pytest.raises(StudyError, match=r"paper\.yaml: value 1 \(a\): cell: ") as caught:
        read(tmp_path, ENTRY | {"cell": cell})
    assert words in str(caught.value)


def test_id_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(StudyError, match="id a must stand once; it stands twice"):
        read(tmp_path, ENTRY, ENTRY)


def test_places_are_equal_in_any_order_of_the_row():
    first = TablePlace("t", ("p",), {"roi": "CN", "group": "AIS"})
    second = TablePlace("t", ("p",), {"group": "AIS", "roi": "CN"})
    assert first == second
    assert hash(first) == hash(second)
    assert first != TablePlace("t", ("p",), {"group": "HC", "roi": "CN"})


@pytest.mark.parametrize(
    ("place", "single"),
    [
        (TablePlace("t", ("p",)), True),
        (TablePlace("t", ("n", "n_missing")), False),
        (TablePlace("t", ("p",), reduce="min"), False),
    ],
)
def test_single_cell_is_told_from_sums_and_extremes(place, single):
    assert place.single is single
