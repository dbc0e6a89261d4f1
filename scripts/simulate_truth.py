"""Draw the simulated cohort: participants, true susceptibilities, heads and raters' errors."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from qsmstudy import bids, job
from qsmstudy.simulate import cohort, dataset


def main(
    *,
    published: Path,
    labels: Path,
    participants: Path,
    participants_json: Path,
    dataset_description: Path,
    readme: Path,
    rater_description: Path,
    rater_labels: Path,
    nuclei: Path,
    truth: list[Path],
    seed: int,
    groups: dict,
    patients: str,
    correlation: dict,
    skew_shape: float,
    smoking_effect: float,
    age_severity_correlation: float,
    head: dict,
    raters: dict,
) -> None:
    """Draw a cohort whose group statistics equal the published ones; write its BIDS frame."""
    values = cohort.Published(yaml.safe_load(published.read_text(encoding="utf-8")))
    frames, susceptibilities = [], []
    for group, ids in cohort.participant_ids(groups).items():
        chi = cohort.draw_susceptibilities(
            values, group, ids, seed=seed, correlation=correlation, skew_shape=skew_shape
        )
        frames.append(
            cohort.draw_clinical(
                values,
                group,
                ids,
                chi=chi,
                seed=seed,
                patients=patients,
                smoking_effect=smoking_effect,
                age_severity_correlation=age_severity_correlation,
            )
        )
        susceptibilities.append(chi)
    table = pd.concat(frames, ignore_index=True)
    chi = np.concatenate(susceptibilities)
    bids.write_tsv(participants, table)
    bids.write_json(participants_json, dataset.participants_columns())
    bids.write_json(dataset_description, dataset.description())
    bids.write_json(rater_description, dataset.rater_description())
    readme.write_text(dataset.readme(groups), encoding="utf-8")
    rater_labels.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(labels, rater_labels)
    bids.write_tsv(nuclei, dataset.nuclei_table(table, chi))
    files = {path.stem: path for path in truth}
    for index, row in enumerate(table.itertuples()):
        content = dataset.participant_truth(
            row.participant_id, row.group, row.age, chi[index], seed=seed, head=head, raters=raters
        )
        bids.write_json(files[row.participant_id], content)
    job.log.info("%d participants, seed %d", len(table), seed)


if __name__ == "__main__":
    job.run(main)
