"""Other studies than the default one, declared in config/examples and run from two tables.

About 10 s each on a quiet core, most of it for the figures and the report.
"""

import re

import numpy as np
import pandas as pd
import pytest
import whole_study as whole

from qsmstudy.dataset import bids

EXAMPLES = whole.ROOT / "config" / "examples"
ADVICE = whole.ROOT / "config" / "own_data.yaml"
QUICK = "cross_validate: {n_folds: 3, n_repeats: 2}\n"


def people(rng, sizes, **columns):
    """Rows of participants.tsv, with a column per keyword: how to draw it for a group."""
    group = np.repeat(list(sizes), list(sizes.values()))
    frame = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:02d}" for i in range(1, group.size + 1)],
            "group": group,
            "age": np.round(rng.uniform(40, 80, group.size), 1),
            "sex": rng.choice(["M", "F"], group.size),
        }
    )
    for name, draw in columns.items():
        frame[name] = [draw(rng, member) for member in group]
    return frame


def yes_or_no(rng, member):
    return rng.choice(["yes", "no"])


def values(rng, participants, *, nuclei, shift, slices=1):
    """Rows of roi_values.tsv of one atlas: iron grows with age, and differs by `shift`."""
    rows = []
    for person in participants.itertuples():
        for roi in nuclei:
            base = 0.05 + 0.0008 * (person.age - 60) + shift.get((person.group, roi), 0.0)
            for side in "LR":
                level = base + 0.006 * rng.normal()
                for place in range(slices):
                    rows.append(
                        {
                            "participant_id": person.participant_id, "rater": "atlas",
                            "roi": roi, "hemisphere": side, "slice": place,
                            "chi_mean_ppm": level + 0.003 * rng.normal(), "chi_sd_ppm": 0.02,
                            "n_voxels": 40 - 4 * abs(place - slices // 2),
                            "volume_mm3": 65.0 + rng.normal(),
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows)


def run(folder, name, participants, measured, *more):
    config = whole.configured(ADVICE, EXAMPLES / f"{name}.yaml", QUICK, *more)
    bids.write_tsv(folder / "participants.tsv", participants)
    bids.write_tsv(folder / "roi_values.tsv", measured)
    files = whole.tabulate(config, folder)
    page = whole.report(config, folder, files)
    tables = {stem: bids.read_tsv(folder / f"{stem}.tsv") for stem in whole.TABLES.values()}
    return tables, " ".join(re.sub(r"<[^>]+>", " ", page).replace("\u202f", " ").split())


def test_one_group_has_its_ages_and_says_what_needs_two(tmp_path):
    rng = np.random.default_rng(1)
    participants = people(rng, {"HC": 24}, smoking=yes_or_no, hypertension=yes_or_no)
    nuclei = ["CN", "GP", "PUT", "RN", "SN", "THA", "DN"]
    tables, page = run(
        tmp_path, "one_group", participants, values(rng, participants, nuclei=nuclei, shift={})
    )
    age = tables["age"]
    assert len(age) == 14
    assert (age["p_adjusted"] < 0.001).all()
    # The slope that the values were made with, within five of its standard errors.
    assert age["slope_ppm_per_year"].median() == pytest.approx(0.0008, abs=0.0005)
    for name in ("table1", "table3"):
        notes = tables[name].query("group == 'all'")["note"]
        assert set(notes) == {"not tested: the study has one group"}, name
    assert set(tables["table2"]["note"]) == {"no ICC: needs two raters; the study has one"}
    assert "no controls" in tables["table4"]["note"].item()
    assert "has no score" in tables["correlations"]["note"].item()
    assert "power is that of two groups" in tables["power"]["note"].iloc[0]
    assert len(tables["table5"]) == 30
    assert "One group was studied, so that no difference between groups was tested." in page
    assert "The study was of one group: 24 HC" in page
    assert "Susceptibility and age" in page
    assert "R PUT against age in HC" in page
    assert "Mann-Whitney" not in page


def test_three_groups_are_compared_together_and_in_pairs(tmp_path):
    rng = np.random.default_rng(2)
    participants = people(
        rng, {"PD": 14, "HC": 12, "MSA": 10},
        levodopa=lambda rng, member: "no" if member == "HC" else rng.choice(["yes", "no"]),
        updrs_motor=lambda rng, member: None if member == "HC" else rng.integers(10, 60),
        moca=lambda rng, member: rng.integers(20, 31),
        disease_years=lambda rng, member: None if member == "HC" else round(rng.gamma(3, 2), 1),
    )  # fmt: skip
    nuclei = ["SN", "RN", "PUT", "GP", "CN"]
    shift = {("PD", "SN"): 0.03, ("MSA", "PUT"): 0.04}
    measured = values(rng, participants, nuclei=nuclei, shift=shift, slices=5)
    tables, page = run(tmp_path, "three_groups", participants, measured)
    third = tables["table3"]
    assert list(dict.fromkeys(third["roi"])) == nuclei
    assert list(third["group"].iloc[:4]) == ["PD", "HC", "MSA", "all"]
    tests = third[third["group"] == "all"]
    assert set(tests["test"]) <= {"anova", "kruskal_wallis"}
    assert set(tests.loc[tests["roi"].isin(["SN", "PUT"]), "significant"]) == {"yes"}
    pairs = tables["contrasts"].query("roi == 'SN' and hemisphere == 'L'")
    found = {(row.group_1, row.group_2): row.significant for row in pairs.itertuples()}
    assert found == {("PD", "HC"): "yes", ("PD", "MSA"): "yes", ("HC", "MSA"): "no"}
    scores = tables["table1"].query("variable == 'updrs_motor'")
    assert list(scores["group"]) == ["PD", "MSA"]
    assert set(tables["table4"]["n"].dropna()) == {26}  # PD and HC only
    adjusted = tables["adjusted"].set_index(["hemisphere", "roi", "group"])
    # Drawn with 0.03 ppm; a standard error is about 0.004.
    assert adjusted.loc[("R", "SN", "PD"), "difference"] == pytest.approx(0.03, abs=0.016)
    assert adjusted.loc[("R", "SN", "MSA"), "significant"] == "no"
    assert set(tables["extents"]["extent"]) == {"whole", "slices"}
    assert set(tables["extents"].groupby("extent")["n_slices_median"].first()) == {3, 5}
    assert "Susceptibility differed among PD, HC and MSA" in page
    assert "analysis of variance" in page
    assert "Pairs of groups" in page
    assert "Updrs motor against R SN in PD" in page
    assert "No table holds" not in page


def test_two_groups_without_scores_or_raters(tmp_path):
    rng = np.random.default_rng(3)
    participants = people(
        rng, {"carrier": 12, "noncarrier": 12}, hypertension=yes_or_no, diabetes=yes_or_no
    )
    nuclei = ["CN", "GP", "PUT", "RN", "SN", "THA", "DN"]
    shift = {("carrier", "GP"): 0.03}
    tables, page = run(
        tmp_path, "no_scores", participants, values(rng, participants, nuclei=nuclei, shift=shift)
    )
    tests = tables["table3"].query("group == 'all' and roi == 'GP'")
    assert set(tests["significant"]) == {"yes"}
    assert "has no score" in tables["correlations"]["note"].item()
    validated = tables["cross_validation"].set_index(["marker", "selection"])
    assert validated.loc[("combination", "once"), "auc_cross_validated"] > 0.8
    assert "lies on at most 3 slices" in tables["extents"]["note"].item()
    assert "The study has no clinical scores; none was correlated." in page
    assert "Groups compared at equal covariates" in page
    assert "NIHSS" not in page


def test_three_participants_a_group_leave_na_with_the_reason_in_every_further_table(tmp_path):
    rng = np.random.default_rng(4)
    known = dict.fromkeys(("smoking", "drinking", "hypertension"), yes_or_no)
    known |= dict.fromkeys(("hyperlipidemia", "diabetes"), yes_or_no)
    scores = ("nihss_admission", "nihss_discharge", "mrs_admission", "mrs_discharge")
    known |= dict.fromkeys(scores, lambda rng, member: rng.integers(0, 5))
    participants = people(rng, {"AIS": 3, "HC": 3}, **known)
    nuclei = ["CN", "GP", "PUT", "RN", "SN", "THA", "DN"]
    config = whole.configured()
    bids.write_tsv(tmp_path / "participants.tsv", participants)
    measured = values(rng, participants, nuclei=nuclei, shift={("AIS", "PUT"): 0.2}, slices=3)
    bids.write_tsv(tmp_path / "roi_values.tsv", measured)
    whole.tabulate(config, tmp_path)
    found = {stem: bids.read_tsv(tmp_path / f"{stem}.tsv") for stem in config["further_tables"]}
    for name, column in (("adjusted", "p"), ("cross_validation", "auc_cross_validated")):
        assert found[name].loc[found[name][column].isna(), "note"].notna().all(), name
    assert found["cross_validation"]["note"].str.contains("3 complete cases in a group").all()
    assert "at most 3 slices" in found["extents"]["note"].item()
    assert "two groups" in found["contrasts"]["note"].item()
    assert len(found["age"]) == 28
    assert len(found["asymmetry_corrected"]) == 14
