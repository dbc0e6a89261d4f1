from pathlib import Path

import pytest
import yaml

from qsmstudy.errors import StudyError
from qsmstudy.run import configuration, schema_check

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "bids_dir": {"type": ["string", "null"]},
        "fit": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "tolerance": {"type": "number", "exclusiveMinimum": 0},
                "sign": {"enum": [1, -1, "auto"]},
                "n": {"oneOf": [{"enum": ["most"]}, {"type": "integer"}]},
                "times": {"anyOf": [{"type": "null"}, {"type": "array"}]},
            },
        },
    },
}


def test_good_configuration_passes():
    schema_check.check({"bids_dir": None, "fit": {"tolerance": 1e-4}}, SCHEMA)


def test_unknown_key_suggests_the_known_one():
    with pytest.raises(StudyError, match="unknown key bids_dr; did you mean bids_dir"):
        schema_check.check({"bids_dr": "x"}, SCHEMA)


def test_every_error_is_listed_with_its_place():
    with pytest.raises(StudyError) as error:
        schema_check.check({"bids_dir": 3, "fit": {"tolerance": -1}}, SCHEMA)
    assert "bids_dir: 3 is not of type" in str(error.value)
    assert "fit.tolerance: -1 is less than" in str(error.value)


def test_number_that_came_as_text_gets_a_remedy():
    # Snakemake reads --config 'fit={tolerance: 0.1}' so.
    with pytest.raises(StudyError, match=r"tolerance: '0\.1' .* --configfile"):
        schema_check.check({"fit": {"tolerance": "0.1"}}, SCHEMA)
    with pytest.raises(StudyError) as error:
        schema_check.check({"fit": {"tolerance": "small"}}, SCHEMA)
    assert "--configfile" not in str(error.value)


@pytest.mark.parametrize("key", ["sign", "n", "times"])
def test_number_that_came_as_text_gets_a_remedy_among_choices_too(key):
    with pytest.raises(StudyError, match=rf"fit\.{key}: '-1' .* --configfile"):
        schema_check.check({"fit": {key: "-1"}}, SCHEMA)
    with pytest.raises(StudyError) as error:
        schema_check.check({"fit": {key: "minus"}}, SCHEMA)
    assert "--configfile" not in str(error.value)


@pytest.mark.parametrize(
    ("key", "read"), [(1, "a number"), (True, "yes or no"), (None, "nothing"), (0.5, "a number")]
)
def test_key_that_is_no_text_is_named_at_any_depth(key, read):
    for place, config in (("top level", {key: 2, "fit": {}}), ("fit", {"fit": {key: 2}})):
        with pytest.raises(
            StudyError, match=rf"{place}: key {key} must be text; YAML reads it as {read}.*quotes"
        ):
            schema_check.check(config, SCHEMA)
    with pytest.raises(StudyError) as error:  # beside a key that is text and not known
        schema_check.check({key: 2, "foo": 3}, SCHEMA)
    assert "unknown key foo" in str(error.value)


WHOLE = configuration.schema()
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("change", "place", "value"),
    [
        ("participant_label: [04, 08, 10]", "participant_label.0", "4"),
        ("participant_label: [04, 08, 10]", "participant_label.2", "10"),
        ("select: {run: 1}", "select.run", "1"),
        ("select: {acq: [no]}", "select.acq.0", "False"),
        ("raters: [1, 2]", "raters.1", "2"),
        ("groups: {patients: 2024-01-31, controls: HC, further: []}", "groups.patients", "date"),
    ],
)
def test_label_that_yaml_reads_as_something_else_gets_a_remedy(change, place, value):
    with pytest.raises(StudyError, match=rf"{place}: .*{value}.* write the text in quotes"):
        schema_check.check(CONFIG | yaml.safe_load(change), WHOLE)


def test_one_label_in_place_of_a_list_gets_a_remedy():
    # Snakemake reads --config participant_label=04 so.
    with pytest.raises(StudyError, match=r'participant_label: 4 .* list of texts .*\["04"'):
        schema_check.check(CONFIG | {"participant_label": 4}, WHOLE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"table3": {"t_test": "welsh"}}, r"t_test: 'welsh' is not one of .*Did you mean welch"),
        ({"n_echoes": "mots"}, r"n_echoes: 'mots' is not one of .*'integer'.*Did you mean most"),
        ({"n_echoes": 0}, "n_echoes: 0 is less than the minimum of 1"),
        ({"further_tables": ["contrast"]}, r"further_tables\.0: .*Did you mean contrasts"),
    ],
)
def test_word_that_is_not_allowed_suggests_the_closest(change, message):
    with pytest.raises(StudyError, match=message):
        schema_check.check(CONFIG | change, WHOLE)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_number_that_is_not_finite_is_refused_anywhere(value):
    with pytest.raises(StudyError, match=rf"fit\.tolerance: must be a finite number; got {value}"):
        schema_check.check({"fit": {"tolerance": value}}, SCHEMA)
    with pytest.raises(StudyError, match=r"fit\.times\.1: must be a finite number"):
        schema_check.check({"fit": {"times": [0.1, value]}}, SCHEMA)
