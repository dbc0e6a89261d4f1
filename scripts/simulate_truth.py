"""Set up the simulated cohort: participants, what is to be measured, heads, raters' errors."""

import shutil
from pathlib import Path

from qsmstudy.dataset import bids
from qsmstudy.run import job
from qsmstudy.simulate import cohort, dataset
from qsmstudy.simulate.options import SimulateTruth


def main(
    *, cohort_participants: Path, cohort_values: Path, response: list[Path], labels: Path,
    participants: Path, participants_json: Path, dataset_description: Path, readme: Path,
    rater_description: Path, rater_labels: Path, truth: list[Path], options: SimulateTruth,
) -> None:  # fmt: skip
    """Take participants and values from the calibrated table; write the cohort's BIDS frame."""
    people = cohort.choose_participants(bids.read_tsv(cohort_participants), options.groups)
    table = bids.read_tsv(cohort_values)
    bids.write_tsv(participants, people.drop(columns="source_id"))
    bids.write_json(participants_json, dataset.participants_columns())
    bids.write_json(dataset_description, dataset.simulated_description())
    bids.write_json(rater_description, dataset.rater_description())
    with bids.replacing(readme) as temporary:
        temporary.write_text(dataset.readme(options.groups), encoding="utf-8")
    with bids.replacing(rater_labels) as temporary:
        shutil.copyfile(labels, temporary)
    lines = bids.read_tsv(response[0]) if options.values == "measured" else None
    files = {path.stem: path for path in truth}
    for row in people.itertuples():
        wanted = cohort.table_values(table, row.source_id)
        content = dataset.participant_truth(
            row.participant_id,
            row.group,
            row.age,
            sum(wanted.values()) / len(wanted)
            if lines is None
            else {rater: cohort.under_labels(own, lines) for rater, own in wanted.items()},
            options=options,
        )
        bids.write_json(files[row.participant_id], content)
    job.log.info("%d participants, seed %d", len(people), options.seed)


if __name__ == "__main__":
    job.run(main)
