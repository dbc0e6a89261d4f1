"""Tables read as text for the plan, by pandas for the jobs: the same rows and refusals."""

import pandas as pd
import pytest

from qsmstudy.dataset import bids, tables
from qsmstudy.errors import StudyError


def write(tmp_path, content):
    path = tmp_path / "t.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        "participant_id\tgroup\nsub-01\tn/a\nsub-02\tHC\n",
        "\ufeffparticipant_id\tgroup\r\nsub-01\tHC\r\n",
        "participant_id\tgroup\tgroup\nsub-01\tHC\tAIS\n",
        'participant_id\tgroup\nsub-01\t"two\nlines"\n\nsub-02\t"a ""word"""\n',
        "participant_id\tgroup\n",
        "participant_id\tgroup\nsub-01\tno line end",
    ],
)
def test_rows_are_those_of_pandas(tmp_path, content):
    path = write(tmp_path, content)
    frame = bids.read_tsv(path).astype(object)
    expected = frame.where(frame.notna(), None).to_dict("records")
    assert tables.read_rows(path) == expected


def test_cells_stay_the_text_that_they_are(tmp_path):
    path = write(tmp_path, "folder\tseries\n007\t1.10\n\t1e5\n")
    assert tables.read_rows(path) == [
        {"folder": "007", "series": "1.10"},
        {"folder": "", "series": "1e5"},
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "not a readable tab-separated table: No columns to parse from file"),
        ('participant_id\tgroup\nsub-01\t"HC\n', "not a readable tab-separated table"),
        ("participant_id\tgroup\nsub-01\tHC\n".encode("utf-16"), "not a readable tab-separated"),
        ("participant_id\tgroup\nsub-01\n", "line 2: must have 2 cells, as the first line; got 1"),
        ("participant_id,group\nsub-01,HC\n", "column participant_id, group missing; it has"),
    ],
)
@pytest.mark.parametrize("read", [tables.read_rows, bids.read_tsv])
def test_unreadable_table_is_refused_in_both_ways(tmp_path, read, content, says):
    with pytest.raises(StudyError, match=says):
        read(write(tmp_path, content), columns=["participant_id", "group"])
    with pytest.raises(StudyError, match="not a readable tab-separated table"):
        read(tmp_path / "none.tsv")


def test_column_that_is_not_allowed_is_named(tmp_path):
    path = write(tmp_path, "a\tb\tc\n")
    assert tables.read_rows(path, columns=["a"]) == []
    with pytest.raises(StudyError, match="column c: must be one of a, b"):
        tables.read_rows(path, columns=["a"], optional=["b"])


def test_missing_is_written_as_it_is_read(tmp_path):
    bids.write_tsv(tmp_path / "t.tsv", pd.DataFrame({"x": [None, "y"]}))
    assert [row["x"] for row in tables.read_rows(tmp_path / "t.tsv")] == [None, "y"]
