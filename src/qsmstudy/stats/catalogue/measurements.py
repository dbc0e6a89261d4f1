"""The tables of scans, people and measurements that the statistics start from."""

from qsmstudy.stats.catalogue.columns import PERSON, RATER, REGION, SESSION
from qsmstudy.stats.catalogue.records import Column, Table

_SCAN = Column("scan", "scan, as its files are named: sub-<label>[_ses-<label>]...")
_OFFSETS = tuple(
    Column(
        f"offset_{name}_ppm",
        f"mean susceptibility of {words}, on the scale of chi_mean_ppm; subtract it for that zero",
        "ppm",
    )
    for name, words in (
        ("csf", "the ventricular fluid"),
        ("whole_brain", "the whole brain"),
        ("none", "the array of the inversion, where the map as inverted is zero"),
    )
)
_REFERENCE = Column("reference", "where susceptibility is zero: csf, whole_brain or none")
_FLAG = Column(
    "flag",
    "what is unusual about the region, joined by semicolons: empty, slices, sides, sign, outside, "
    "lesion, excluded, one_rater; missing where nothing is",
)
_PEOPLE = (
    PERSON,
    Column("group", "group, as the configuration names it"),
    Column("age", "age", "years"),
    Column("sex", "M or F"),
)
_COVARIATES = (
    "the study's factors (yes or no) and scores, and what the user's table has beside them"
)

SCANS = Table(
    name="scans",
    rule="list_scans",
    title="Scans",
    question="Which scans are used, and why are others left out?",
    needs="is_checked",
    columns=(
        _SCAN,
        PERSON,
        SESSION,
        Column("echoes", "echoes of the scan; missing where no file could be read"),
        Column("used", "yes or no"),
        Column("reason", "why the scan is left out; missing where it is used"),
    ),
)

MATCHED = Table(
    name="matched",
    rule="match_participants",
    title="Participants with a scan",
    question="Which participants have a scan that can be used?",
    needs="is_checked",
    output="matched",
    columns=_PEOPLE,
    more=_COVARIATES,
)

PARTICIPANTS = Table(
    name="participants",
    rule="select_participants",
    title="Participants",
    question="Who is analysed?",
    output="analysed",
    columns=_PEOPLE,
    more=_COVARIATES,
)

EXCLUDED = Table(
    name="excluded",
    rule="select_participants",
    title="Excluded participants",
    question="Who is excluded by a decision, and why?",
    output="excluded",
    columns=(PERSON, _PEOPLE[1], Column("reason", "reason, from the table of decisions")),
)

ROI_VALUES = Table(
    name="roi_values",
    rule="aggregate_rois",
    title="Measurements by slice",
    question="What is the susceptibility of every region, slice by slice?",
    output="roi_values",
    needs="has_images",
    columns=(
        PERSON,
        SESSION,
        RATER,
        *REGION,
        Column("slice", "index along the array axis closest to scanner z, from 0"),
        Column("chi_mean_ppm", "mean susceptibility of the region's voxels on the slice", "ppm"),
        Column("chi_sd_ppm", "their standard deviation, n - 1; missing for one voxel", "ppm"),
        Column("n_voxels", "voxels; 0 for a region without any"),
        Column("volume_mm3", "volume of these voxels", "mm3"),
        _REFERENCE,
        *_OFFSETS,
        _FLAG,
    ),
)

ROI_MEANS = Table(
    name="roi_means",
    rule="summarize_rois",
    title="Measurements by region",
    question="What is the susceptibility of every region, over its slices and over the raters?",
    output="roi_means",
    columns=(
        PERSON,
        SESSION,
        RATER,
        *REGION,
        Column("chi_ppm", "mean susceptibility over all voxels; of mean: over the raters", "ppm"),
        Column("chi_sd_ppm", "standard deviation over all voxels; of mean: averaged", "ppm"),
        Column("n_voxels", "voxels; of mean: averaged over the raters"),
        Column("volume_mm3", "volume; of mean: averaged over the raters", "mm3"),
        Column("n_slices", "slices; of mean: averaged over the raters"),
        _REFERENCE,
        _FLAG,
    ),
)

QUALITY = Table(
    name="qc",
    rule="summarize_quality",
    title="Quality of every scan",
    question="What did each step report of itself, and which scans stand out?",
    section="quality",
    needs="has_images",
    output="qc",
    columns=(
        _SCAN,
        PERSON,
        SESSION,
        Column("solver", "name of the dipole inversion's solver"),
        Column("iterations", "iterations of the dipole inversion"),
        Column("residual", "relative change of the solution in the last iteration"),
        Column("converged", "yes or no: whether the inversion reached its tolerance"),
        Column("background_iterations", "iterations of the background removal"),
        Column("background_residual", "its relative residual at the end"),
        Column("background_converged", "yes or no: whether it reached its tolerance"),
        Column("fit_residual", "mean relative residual of the fit over the echoes, in the mask"),
        Column("fit_unsettled", "share of voxels whose fit did not settle"),
        Column("snr", "median magnitude of the first echo over the noise level"),
        Column("r2star_method", "how R2* was estimated"),
        Column("mask_source", "where the brain mask comes from"),
        Column("mask_volume_ml", "volume of the brain mask", "ml"),
        Column("mask_plausible", "yes or no: whether a human brain has that volume"),
        Column("local_field_rms_hz", "root mean square of the local field in the mask", "Hz"),
        _REFERENCE,
        Column("reference_region", "the region of zero susceptibility, in words"),
        Column("reference_voxels", "its voxels"),
        Column("reference_offset_ppm", "what was subtracted from the map", "ppm"),
        Column("reference_sd_ppm", "standard deviation in the region", "ppm"),
        Column("reference_noise_ppm", "standard error of the region's mean", "ppm"),
        Column("sign_contrast_ppm", "high minus low R2*: below 0 where the sign is wrong", "ppm"),
        Column("csf_less_whole_brain_ppm", "mean of the fluid minus that of the brain", "ppm"),
        Column("whole_brain_less_none_ppm", "mean of the brain minus that of the array", "ppm"),
        *(
            Column(f"z_{name}", f"robust z of {column} among the scans; 0 is the median")
            for name, column in (
                ("mask_volume", "mask_volume_ml"), ("fit_residual", "fit_residual"),
                ("residual", "residual"), ("local_field", "local_field_rms_hz"),
                ("reference_sd", "reference_sd_ppm"),
                ("reference_offset", "csf_less_whole_brain_ppm"),
            )
        ),
        Column("failed_checks", "number of checks that failed"),
        Column("score", "largest absolute z, plus 10 for each failed check; 0 is best"),
        Column("flags", "what is unusual, joined by semicolons; missing where nothing is"),
    ),
)  # fmt: skip

#: In the order in which they are made.
MEASUREMENT_TABLES = (SCANS, MATCHED, PARTICIPANTS, EXCLUDED, ROI_VALUES, ROI_MEANS, QUALITY)
