"""The simulated dataset's BIDS files that are not images, and the truth of each participant."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy import __version__
from qsmstudy.simulate.cohort import RATERS, REGIONS
from qsmstudy.simulate.draws import generator
from qsmstudy.simulate.options import Raters, SimulateTruth

_GENERATOR = {
    "Name": "qsmstudy",
    "Version": __version__,
    "Description": "simulated: no human was scanned (rules simulate_truth and simulate_scan)",
}


def simulated_description() -> dict[str, Any]:
    """Return ``dataset_description.json`` of the simulated scans."""
    return {
        "Name": "Simulated multi-echo gradient-echo cohort for QSM of deep gray nuclei",
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "License": "CC0",
        "Authors": ["The qsmstudy developers"],
        "Acknowledgements": (
            "Nuclei after the Allen Human Reference Atlas 3D (CC BY 4.0, doi:10.1002/cne.24080); "
            "tissue after the ICBM152 2009 template (doi:10.1016/j.neuroimage.2010.07.033)."
        ),
        "ReferencesAndLinks": ["https://doi.org/10.3389/fneur.2024.1518911"],
        "GeneratedBy": [_GENERATOR],
    }


def rater_description() -> dict[str, Any]:
    """Return ``dataset_description.json`` of the simulated raters' label maps."""
    return {
        "Name": "Simulated raters' labels of deep gray nuclei",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "License": "CC0",
        "GeneratedBy": [_GENERATOR],
        "SourceDatasets": [{"URL": "../../"}],
    }


def readme(groups: Mapping[str, int]) -> str:
    """Return the text of the dataset's README."""
    members = ", ".join(f"{n} {group}" for group, n in groups.items())
    return f"""# Simulated QSM cohort

**This dataset is simulated. It holds no data of any person.**

Participants: {members}. Each has an eight-echo gradient-echo scan (magnitude and phase) computed
from a digital head, and label maps of fourteen deep gray nuclei by two simulated raters
(`derivatives/raters`). Group sizes, clinical variables, and what the raters measure of the nuclei
follow the numbers printed in doi:10.3389/fneur.2024.1518911, whose scans are not public. Agreement
of this dataset with that paper is by construction and is no evidence for the paper's findings.

The head: ICBM152 2009 symmetric tissue maps, nuclei after the Allen Human Reference Atlas 3D
(Ding et al. 2016, doi:10.1002/cne.24080, CC BY 4.0), individually deformed. The signal: dipole
field of the susceptibility, T2* decay, receive phase, shim residual and complex Gaussian noise.
Phase grows with the field.
"""


def participants_columns() -> dict[str, Any]:
    """Return ``participants.json``, the data dictionary of ``participants.tsv``."""
    yes_no = {"yes": "present", "no": "absent"}
    score = "n/a for controls and for patients without the score"
    return {
        "group": {
            "Description": "Diagnostic group",
            "Levels": {"AIS": "acute ischemic stroke", "HC": "healthy control"},
        },
        "age": {"Description": "Age at the scan", "Units": "year"},
        "sex": {"Description": "Sex", "Levels": {"M": "male", "F": "female"}},
        "smoking": {"Description": "Smoking", "Levels": yes_no},
        "drinking": {"Description": "Alcohol consumption", "Levels": yes_no},
        "hypertension": {"Description": "Arterial hypertension", "Levels": yes_no},
        "hyperlipidemia": {"Description": "Hyperlipidemia", "Levels": yes_no},
        "diabetes": {"Description": "Diabetes mellitus", "Levels": yes_no},
        "nihss_admission": {
            "LongName": "National Institutes of Health Stroke Scale at admission",
            "Description": f"0 (no deficit) to 42; {score}",
        },
        "nihss_discharge": {
            "LongName": "National Institutes of Health Stroke Scale at discharge",
            "Description": f"0 (no deficit) to 42; {score}",
        },
        "mrs_admission": {
            "LongName": "Modified Rankin Scale at admission",
            "Description": f"0 (no symptoms) to 6 (dead); {score}",
        },
        "mrs_discharge": {
            "LongName": "Modified Rankin Scale at discharge",
            "Description": f"0 (no symptoms) to 6 (dead); {score}",
        },
    }


def nuclei_table(
    truth: Mapping[str, Any], chi: NDArray, label_means: Mapping[str, NDArray]
) -> pd.DataFrame:
    """Return a participant's true susceptibilities as a tidy table.

    Parameters
    ----------
    truth : mapping
        ``participant_id`` and ``group``.
    chi : ndarray, shape (14,)
        Susceptibility of the nuclei [ppm].
    label_means : mapping
        Rater A and B to the mean of the true map under each label [ppm], shape (14,).
    """
    return pd.DataFrame(
        {
            "participant_id": truth["participant_id"],
            "group": truth["group"],
            "roi": [roi for roi, _ in REGIONS],
            "hemisphere": [hemisphere for _, hemisphere in REGIONS],
            "chi_ppm": chi,
            **{f"rater_{rater.lower()}_ppm": label_means[rater] for rater in RATERS},
        }
    )


def participant_truth(
    name: str,
    group: str,
    age: int,
    values: NDArray | Mapping[str, NDArray],
    *,
    options: SimulateTruth,
) -> dict[str, Any]:
    """Draw everything about one participant that the scan and its raters need.

    Parameters
    ----------
    name, group : str
        Participant and group.
    age : int
        Age [year].
    values : ndarray, shape (14,), or mapping of rater to such
        Susceptibility of the nuclei [ppm]; or, per rater, the mean of the true map under the
        rater's labels.
    options : SimulateTruth
        The seed, and how heads and raters vary.

    Returns
    -------
    dict
        JSON content of the participant's truth file.
    """
    seed, head = options.seed, options.head
    rng = generator(seed, name, "head")
    scale = rng.uniform(*head.scale) * np.exp(head.aspect_sd * rng.standard_normal(3))
    rotation = head.rotation_sd_deg * rng.standard_normal(3)
    ventricle = head.ventricle_mm_per_year * (age - head.ventricle_age)
    ventricle += head.ventricle_sd_mm * rng.standard_normal()
    common = head.nucleus_size_sd * rng.standard_normal(len(REGIONS) // 2)
    own = head.asymmetry_sd * rng.standard_normal(len(REGIONS))
    nuclei = [
        {
            "roi": roi,
            "hemisphere": hemisphere,
            **(
                {"measured_ppm": {rater: float(own[index]) for rater, own in values.items()}}
                if isinstance(values, Mapping)
                else {"chi_ppm": float(values[index])}
            ),
            "size": float(np.exp(common[index // 2] + own[index])),
        }
        for index, (roi, hemisphere) in enumerate(REGIONS)
    ]
    return {
        "participant_id": name,
        "group": group,
        "age": int(age),
        "seed": seed,
        "head": {
            "scale": np.clip(scale, *head.scale).tolist(),
            "rotation_deg": rotation.tolist(),
            "displacement_mm": head.displacement_mm,
            "ventricle_growth_mm": float(np.clip(ventricle, -1.0, 2.5)),
        },
        "nuclei": nuclei,
        "raters": {rater: _rater_errors(seed, name, rater, options.raters) for rater in RATERS},
    }


def _rater_errors(seed: int, name: str, rater: str, raters: Raters) -> Sequence[Any]:
    rng = generator(seed, name, f"rater-{rater}")
    errors = []
    for roi, hemisphere in REGIONS:
        moved = rng.random() < raters.slice_change_probability
        errors.append(
            {
                "roi": roi,
                "hemisphere": hemisphere,
                "shift_mm": (raters.shift_sd_mm[roi] * rng.standard_normal(2)).tolist(),
                "erosion_mm": float(
                    raters.erosion_mm[roi] + raters.outline_sd_mm[roi] * rng.standard_normal()
                ),
                "boundary_sd_mm": raters.boundary_sd_mm[roi],
                "boundary_length_mm": raters.boundary_length_mm,
                "slice_offset": int(rng.choice([-1, 1])) if moved else 0,
            }
        )
    return errors
