"""A synthetic study of 64 participants for the tests of the statistics."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from qsmstudy.dataset import bids
from qsmstudy.study.cohort import Cohort, read_cohort
from qsmstudy.study.study import Study

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
#: What the default study declares.
STUDY = Study.in_config(CONFIG)
GROUPS = STUDY.by_role
SCORES = STUDY.scores


def participants(rng, *, sizes=(34, 30), missing=True):
    """Rows of participants.tsv; admission scores of 29 patients, discharge scores of 26."""
    n = sum(sizes)
    patient = np.repeat([True, False], sizes)
    frame = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:02d}" for i in range(1, n + 1)],
            "group": np.where(patient, "AIS", "HC"),
            "age": np.round(rng.normal(69, 9, n)),
            "sex": rng.choice(["M", "F"], n),
        }
    )
    for factor in STUDY.factors:
        frame[factor] = np.where(rng.random(n) < np.where(patient, 0.5, 0.2), "yes", "no")
    for score, high in zip(SCORES, (9, 6, 5, 4), strict=True):
        frame[score] = np.where(patient, rng.integers(0, high, n), np.nan)
    if missing:
        admission, discharge = ["nihss_admission", "mrs_admission"], list(SCORES[1::2])
        frame.loc[:4, admission] = np.nan
        frame.loc[:7, discharge] = np.nan
    return frame


def roi_means(rng, people):
    """Rows of roi_means.tsv: two raters and their mean, patients higher in CN and PUT."""
    rows = []
    for person, group in zip(people["participant_id"], people["group"], strict=True):
        for region in STUDY.regions:
            hemisphere, roi = region.split()
            level = 0.03 * (group == "AIS") * (roi in ("CN", "PUT"))
            true = 0.06 + level + 0.025 * rng.normal()
            values = dict(zip("AB", true + 0.006 * rng.normal(size=2), strict=True))
            values["mean"] = (values["A"] + values["B"]) / 2
            rows += [
                {
                    **{"participant_id": person, "session": None, "rater": rater},
                    **{"roi": roi, "hemisphere": hemisphere, "chi_ppm": chi},
                }
                for rater, chi in values.items()
            ]
    return pd.DataFrame(rows)


def study(folder, *, seed=20240, sizes=(34, 30), missing=True):
    """Write both tables below `folder` and read them back as a study does."""
    rng = np.random.default_rng(seed)
    people = participants(rng, sizes=sizes, missing=missing)
    bids.write_tsv(folder / "participants.tsv", people)
    bids.write_tsv(folder / "roi_means.tsv", roi_means(rng, people))
    return read(folder)


def read(folder, *, study=STUDY):
    return read_cohort(folder / "participants.tsv", folder / "roi_means.tsv", study=study)


def declared(**changes):
    """The default study with other declarations."""
    return replace(STUDY, **changes)


def made(people, chi, **declarations):
    """A cohort of these participants and values, whatever the default study declares."""
    return Cohort(study=declared(**declarations), participants=people, values=chi)


def with_moments(rng, *, n, mean, sd):
    """A sample of exactly this mean and SD."""
    sample = rng.normal(size=n)
    return mean + sd * (sample - sample.mean()) / sample.std(ddof=1)


def with_correlation(rng, *, n, r):
    """Two standardized samples of exactly this Pearson correlation."""
    x, y = rng.normal(size=(2, n))
    x = (x - x.mean()) / x.std(ddof=1)
    y = y - y.mean() - x * (x @ (y - y.mean())) / (x @ x)
    y /= y.std(ddof=1)
    return x, r * x + np.sqrt(1 - r**2) * y
