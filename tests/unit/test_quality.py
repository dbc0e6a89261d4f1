import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.study import quality
from qsmstudy.study.options import SummarizeQuality

ROOT = Path(__file__).parents[2]


def scan(*, volume=1300.0, converged=True, sd=0.02, csf=0.01, contrast=0.1):
    """Return the sidecars of one scan, by step."""
    return {
        "field": {"RelativeResidual": 0.05, "SignalToNoise": 80.0},
        "r2star": {"Method": "arlo"},
        "mask": {"VolumeMl": volume},
        "local_field": {"RmsHz": 2.5, "Solver": {"Iterations": 30, "Converged": True}},
        "chi": {
            "Solver": {"Name": "medi", "Iterations": 7, "Residual": 0.08, "Converged": converged},
            "Reference": {
                "Name": "csf",
                "Region": "ventricular CSF",
                "Voxels": 4000,
                "OffsetPpm": csf,
                "SdPpm": sd,
                "NoisePpm": 0.001,
                "Candidates": {
                    "csf": {"OffsetPpm": csf},
                    "whole_brain": {"OffsetPpm": 0.004},
                    "none": {"OffsetPpm": 0.0},
                },
            },
            "SignContrastPpm": contrast,
        },
    }


def cohort(**changes):
    """Return nine scans with different brain volumes, the last with `changes`."""
    scans = {f"sub-{i:02d}": scan(volume=1300.0 + 10 * i) for i in range(1, 9)}
    return scans | {"sub-09": scan(**changes)}


def test_table_reads_every_step():
    row = quality.quality_table({"sub-01_ses-2": scan()}, outlier_z=3.5).iloc[0]
    assert (row.scan, row.participant_id, row.session) == ("sub-01_ses-2", "sub-01", "ses-2")
    assert (row.iterations, row.converged, row.fit_residual, row.snr) == (7, "yes", 0.05, 80.0)
    assert row.r2star_method == "arlo"
    assert (row.mask_volume_ml, row.local_field_rms_hz) == (1300.0, 2.5)
    assert (row.reference, row.reference_region) == ("csf", "ventricular CSF")
    assert (row.reference_voxels, row.reference_sd_ppm) == (4000, 0.02)
    assert (row.reference_offset_ppm, row.reference_noise_ppm) == (0.01, 0.001)
    assert row.csf_less_whole_brain_ppm == pytest.approx(0.006)
    assert row.whole_brain_less_none_ppm == pytest.approx(0.004)
    assert row.sign_contrast_ppm == 0.1
    assert pd.isna(row["flags"])


def test_table_tolerates_absent_keys_and_steps():
    row = quality.quality_table({"sub-01": {"chi": {"Solver": "tkd"}}}, outlier_z=3.5).iloc[0]
    assert row[[*quality.FIELDS, *quality.DIFFERENCES]].isna().all()


def test_unconverged_solver_is_flagged():
    assert (
        quality.quality_table(cohort(converged=False), outlier_z=3.5)["flags"].iloc[-1]
        == "unconverged"
    )


def test_unconverged_background_removal_is_flagged():
    scans = cohort()
    scans["sub-03"]["local_field"]["Solver"]["Converged"] = False
    assert quality.quality_table(scans, outlier_z=3.5)["flags"].iloc[2] == "background_unconverged"


@pytest.mark.parametrize(
    ("volume", "flag"), [(400.0, "mask_volume_low"), (2500.0, "mask_volume_high")]
)
def test_outlying_brain_volume_is_flagged(volume, flag):
    flags = quality.quality_table(cohort(volume=volume), outlier_z=3.5)["flags"]
    assert flags.iloc[-1] == flag
    assert flags.iloc[:-1].isna().all()


@pytest.mark.parametrize(
    ("changes", "flag"),
    [
        ({"sd": 0.06}, "reference_sd_high"),
        ({"csf": -0.01}, "reference_offset_low"),
        ({"contrast": -0.1}, "sign"),
        ({"contrast": -0.005}, None),  # noise, where R2* is the same everywhere
        ({"sd": 0.0215, "csf": 0.0085}, None),  # far in units of the spread, too near to matter
    ],
)
def test_outlying_reference_and_reversed_sign_are_flagged(changes, flag):
    spread = np.linspace(-2e-4, 2e-4, 8)
    scans = {f"sub-{i}": scan(sd=0.02 + d, csf=0.01 + d) for i, d in enumerate(spread)}
    flags = quality.quality_table(scans | {"sub-9": scan(**changes)}, outlier_z=3.5)["flags"]
    assert (flags.iloc[-1] or None) == flag
    assert flags.iloc[:-1].isna().all()


def test_map_without_fluid_has_no_difference_to_it():
    bare = scan()
    del bare["chi"]["Reference"]["Candidates"]["csf"]
    row = quality.quality_table({"sub-01": bare}, outlier_z=3.5).iloc[0]
    assert pd.isna(row.csf_less_whole_brain_ppm)
    assert row.whole_brain_less_none_ppm == pytest.approx(0.004)


def test_robust_z_by_hand():
    # median 3, absolute deviations 2 1 0 1 97, their median 1
    z = quality.robust_z(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    np.testing.assert_allclose(z, 0.6745 * np.array([-2, -1, 0, 1, 97]))


def test_robust_z_is_zero_without_spread_or_in_a_small_cohort():
    assert not quality.robust_z(np.array([1.0, 1, 1, 1, 9])).any()
    assert not quality.robust_z(np.array([1.0, 1.1, 9])).any()


def test_robust_z_leaves_missing_values_missing():
    z = quality.robust_z(np.array([1.0, 2, 3, 4, 100, np.nan]))
    assert np.isnan(z[-1])
    assert z[4] > 3.5


def test_scan_of_file_name():
    assert quality.scan_of(Path("x/sub-01_ses-b_desc-brain_mask.json")) == "sub-01_ses-b"
    assert quality.scan_of(Path("sub-01_ses-b_run-2_Chimap.json")) == "sub-01_ses-b_run-2"
    assert quality.scan_of(Path("sub-01_Chimap.json")) == "sub-01"
    with pytest.raises(StudyError, match="must begin with sub-<label>_"):
        quality.scan_of(Path("chi.json"))


def test_script_writes_one_row_per_scan(tmp_path):
    names = dict(
        zip(quality.STEPS, ("field", "R2starmap", "mask", "localfield", "Chimap"), strict=True)
    )
    paths = {step: [] for step in quality.STEPS}
    for name, steps in cohort().items():
        for step, content in steps.items():
            paths[step].append(tmp_path / f"{name}_{names[step]}.json")
            bids.write_json(paths[step][-1], content)
    script = ROOT / "scripts" / "summarize_quality.py"
    runpy.run_path(str(script))["main"](**paths, qc=tmp_path / "qc.tsv", options=SummarizeQuality())
    table = bids.read_tsv(tmp_path / "qc.tsv")
    assert table.columns.tolist() == list(quality.QUALITY_COLUMNS)
    assert table.scan.tolist() == sorted(cohort())


def test_implausible_mask_is_flagged():
    scans = cohort()
    next(iter(scans.values()))["mask"]["Plausible"] = False
    assert quality.quality_table(scans, outlier_z=3.5)["flags"].iloc[0] == "mask_implausible"
