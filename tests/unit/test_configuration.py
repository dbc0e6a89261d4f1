import pytest

from qsmstudy.errors import StudyError
from qsmstudy.run import configuration

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
    configuration.check({"bids_dir": None, "fit": {"tolerance": 1e-4}}, SCHEMA)


def test_unknown_key_suggests_the_known_one():
    with pytest.raises(StudyError, match="unknown key bids_dr; did you mean bids_dir"):
        configuration.check({"bids_dr": "x"}, SCHEMA)


def test_every_error_is_listed_with_its_place():
    with pytest.raises(StudyError) as error:
        configuration.check({"bids_dir": 3, "fit": {"tolerance": -1}}, SCHEMA)
    assert "bids_dir: 3 is not of type" in str(error.value)
    assert "fit.tolerance: -1 is less than" in str(error.value)


def test_number_that_came_as_text_gets_a_remedy():
    # Snakemake reads --config 'fit={tolerance: 0.1}' so.
    with pytest.raises(StudyError, match=r"tolerance: '0\.1' .* --configfile"):
        configuration.check({"fit": {"tolerance": "0.1"}}, SCHEMA)
    with pytest.raises(StudyError) as error:
        configuration.check({"fit": {"tolerance": "small"}}, SCHEMA)
    assert "--configfile" not in str(error.value)


@pytest.mark.parametrize("key", ["sign", "n", "times"])
def test_number_that_came_as_text_gets_a_remedy_among_choices_too(key):
    with pytest.raises(StudyError, match=rf"fit\.{key}: '-1' .* --configfile"):
        configuration.check({"fit": {key: "-1"}}, SCHEMA)
    with pytest.raises(StudyError) as error:
        configuration.check({"fit": {key: "minus"}}, SCHEMA)
    assert "--configfile" not in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_number_that_is_not_finite_is_refused_anywhere(value):
    with pytest.raises(StudyError, match=rf"fit\.tolerance: must be a finite number; got {value}"):
        configuration.check({"fit": {"tolerance": value}}, SCHEMA)
    with pytest.raises(StudyError, match=r"fit\.times\.1: must be a finite number"):
        configuration.check({"fit": {"times": [0.1, value]}}, SCHEMA)
