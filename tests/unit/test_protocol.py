import json

import pytest

from qsmstudy.dataset import protocol
from qsmstudy.errors import StudyError

LACKING = {"echo_times": None, "field_strength": None}


def scan(root, times=(0.006, 0.012), strength=3.0, **more):
    """Write sidecars (no image is opened) and return magnitude and phase paths."""
    files = {"mag": [], "phase": []}
    for part, paths in files.items():
        for echo, time in enumerate(times, start=1):
            path = root / f"sub-01_echo-{echo}_part-{part}_MEGRE.nii.gz"
            said = {"EchoTime": time, "MagneticFieldStrength": strength} | more.get(part, {})
            said = {key: value for key, value in said.items() if value is not None}
            path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(said))
            paths.append(path)
    return files["mag"], files["phase"]


def test_either_part_s_sidecar_will_do(tmp_path):
    without = {"EchoTime": None, "MagneticFieldStrength": None}
    found = protocol.read_protocol(*scan(tmp_path, phase=without), n_echoes=2, **LACKING)
    assert found == ([0.006, 0.012], 3.0)


def test_all_that_is_missing_is_listed_with_the_places_to_supply_it(tmp_path):
    with pytest.raises(StudyError) as error:
        protocol.read_protocol(*scan(tmp_path, (None, None), None), n_echoes=2, **LACKING)
    for words in (
        "EchoTime is in none of the JSON sidecars of sub-01_echo-1_part-phase_MEGRE.nii.gz, "
        "sub-01_echo-2_part-phase",
        "MagneticFieldStrength is in none",
        "one MEGRE.json",
        "fit_field: {echo_times",
        "{field_strength",
    ):
        assert words in str(error.value)


def test_settings_supply_what_is_missing(tmp_path):
    given = {"echo_times": [0.005, 0.011], "field_strength": 7}
    parts = scan(tmp_path, (None, None), None)
    assert protocol.read_protocol(*parts, n_echoes=2, **given) == ([0.005, 0.011], 7.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"echo_times": [0.005, 0.012]}, "EchoTime 0.006, fit_field.echo_times 0.005"),
        ({"echo_times": [0.006]}, "1 values for 2 echoes"),
        ({"field_strength": 7.0}, "MagneticFieldStrength 3, fit_field.field_strength 7"),
    ],
)
def test_settings_never_overrule_a_sidecar_in_silence(tmp_path, given, said):
    with pytest.raises(StudyError, match=said):
        protocol.read_protocol(*scan(tmp_path), n_echoes=2, **LACKING | given)


def test_parts_of_different_echoes_are_told(tmp_path):
    with pytest.raises(StudyError, match="numbered alike"):
        protocol.read_protocol(*scan(tmp_path, mag={"EchoTime": 0.03}), n_echoes=2, **LACKING)


def test_list_of_echo_times_serves_a_four_dimensional_file(tmp_path):
    (tmp_path / "sub-01_part-mag_MEGRE.json").write_text("{}")
    said = {"EchoTime": [0.006, 0.012], "MagneticFieldStrength": 3}
    (tmp_path / "sub-01_part-phase_MEGRE.json").write_text(json.dumps(said))
    parts = [[tmp_path / f"sub-01_part-{part}_MEGRE.nii"] for part in ("mag", "phase")]
    assert protocol.read_protocol(*parts, n_echoes=2, **LACKING).echo_times == [0.006, 0.012]
    with pytest.raises(StudyError, match="one value per echo; got 2 for 3"):
        protocol.read_protocol(*parts, n_echoes=3, **LACKING)


def test_field_strengths_that_differ_between_echoes_are_refused(tmp_path):
    magnitude, phase = scan(tmp_path)
    sidecar = tmp_path / "sub-01_echo-2_part-mag_MEGRE.json"
    sidecar.write_text(json.dumps({"EchoTime": 0.012, "MagneticFieldStrength": 7}))
    with pytest.raises(StudyError, match=r"echo-2_part-mag.*7, that of.*echo-1.*3 T"):
        protocol.read_protocol(magnitude, phase, n_echoes=2, **LACKING)
    sidecar.write_text(json.dumps({"EchoTime": 0.012, "MagneticFieldStrength": 2.89}))
    assert protocol.read_protocol(magnitude, phase, n_echoes=2, **LACKING).field_strength == 3
