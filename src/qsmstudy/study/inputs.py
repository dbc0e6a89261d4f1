"""What a study is made from: keys at the top of the configuration.

What a configuration declares about people and tables stands in `qsmstudy.study.study`.
"""

from dataclasses import dataclass
from typing import Any

from qsmstudy.options import Section, option

_LABEL = {"type": "string", "pattern": "^[A-Za-z0-9]+$"}


@dataclass(frozen=True, kw_only=True)
class Inputs(Section):
    """Title of a study, where its data lie and where its results go."""

    title: str = option(meaning="heading of the report", schema={"minLength": 0})
    output_dir: str = option("results", meaning="folder into which everything is written")
    bids_dir: str | None = option(
        None, meaning="your BIDS dataset; null simulates the default cohort"
    )
    dicom_dir: str | None = option(
        None,
        meaning="or your DICOM files, which dcm2niix converts; then give n_echoes as a number",
    )
    dicom_mapping: str | None = option(
        None,
        meaning="TSV with participant_id, folder, optionally session and series; null: "
        "dicom_dir/mapping.tsv",
    )
    participant_label: list[str] | None = option(
        None, meaning='labels to keep, in quotes, such as ["01", "02"]; null keeps all'
    )
    select: dict[str, Any] | None = option(
        None,
        meaning='of several scans in a session: entity and label(s), in quotes, such as {run: "2", '
        "acq: qsm}; null keeps all",
        schema={
            "propertyNames": {"pattern": "^[a-z]+$"},
            "additionalProperties": {
                "anyOf": [_LABEL, {"type": "array", "items": _LABEL, "minItems": 1}]
            },
        },
    )
    n_echoes: str | int = option(
        "most",
        meaning="echoes that a scan must have: most, as most scans have; any; or a number. Other "
        "scans are left out and named",
        words={"most": "", "any": ""},
        schema={"minimum": 1},
    )
    participants: str | None = option(None, meaning="participants.tsv if not that of bids_dir")
    decisions: str | None = option(
        None,
        meaning="who takes part: a TSV with participant_id, decision (include or exclude) and "
        "reason; null: everybody. The report's section Quality writes one",
    )
    published: str | None = option(
        None,
        meaning="numbers of a paper to audit (YAML, as resources/published.yaml); null: the "
        "default study's",
    )
    roi_values: str | None = option(
        None, meaning="a TSV of your own measurements to start from; then give participants too"
    )
    atlas_template: str | None = option(
        None,
        meaning="your template's brain for the rater atlas (NIfTI, 0 outside); null: the built-in "
        "ICBM152",
    )
    atlas_chi: str | None = option(
        None, meaning="the template's susceptibility map, if it has one", unit="ppm"
    )
    atlas_labels: str | None = option(None, meaning="the template's label map")
    atlas_label_table: str | None = option(None, meaning="that map's integers (TSV as dseg.tsv)")
