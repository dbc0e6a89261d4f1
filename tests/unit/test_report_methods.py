"""The methods text and its citations."""

import re
from dataclasses import fields

import pandas as pd
import pytest
import stats_cohort as cohort
from report_study import BIBLIOGRAPHY, CONFIG

from qsmstudy.errors import StudyError
from qsmstudy.report import methods, references
from qsmstudy.report import options as options_words
from qsmstudy.stats import options as stats_options


def measured(*flags):
    """Rows of roi_values.tsv: two slices per region, one region per flag."""
    flags = flags or (None,)
    return pd.DataFrame(
        {"participant_id": f"sub-{i:02d}", "rater": rater, "roi": "CN", "hemisphere": "L"}
        | {"slice": z, "flag": flag}
        for i, flag in enumerate(flags)
        for rater in "AB"
        for z in (1, 2)
    )


def methods_text(config=CONFIG, *, simulated=True, imaged=True, values=None, qc=None):
    found = methods.sections(
        config,
        groups=cohort.GROUPS,
        alpha=0.05,
        simulated=simulated,
        imaged=imaged,
        roi_values=values if values is not None else measured(),
        qc=qc,
    )
    return " ".join(sentence for part in found for sentence in part.sentences)


def changed(rule, **options):
    return CONFIG | {rule: CONFIG[rule] | options}


def test_methods_state_the_settings():
    assert "λ = 1234" in methods_text(changed("invert_dipole", lambda_fidelity=1234))
    assert "Welch's t test" in methods_text(changed("table3", t_test="welch"))
    assert "AIS as the positive state" in methods_text(changed("table4", positive_group="patients"))


def test_methods_name_the_estimator_of_r2star_that_the_echoes_allow():
    line, regression = "a weighted line through the logarithm", "auto-regression"
    text = methods_text()
    assert regression in text
    assert f"of unevenly spaced echoes, by {line}" in text
    text = methods_text(changed("fit_field", r2star_method="log_linear"))
    assert f"R2* was estimated by {line}" in text
    assert "unevenly spaced" not in text


@pytest.mark.parametrize(
    ("used", "said"),
    [
        (["arlo"] * 3, "by auto-regression on linear operations [@pei2015]."),
        (["log_linear"] * 2, "by a weighted line through the logarithm of the magnitudes."),
        (
            ["log_linear", "arlo", "none", "arlo", None],
            "by auto-regression on linear operations [@pei2015] in 2 scans, a weighted line "
            "through the logarithm of the magnitudes in 1 scan and no estimator (one echo) in 1 "
            "scan, as their echoes allowed.",
        ),
    ],
)
def test_methods_name_the_estimator_of_r2star_that_the_scans_had(used, said):
    text = methods_text(qc=pd.DataFrame({"scan": range(len(used)), "r2star_method": used}))
    assert f"R2* was estimated {said}" in text


def test_methods_say_that_a_single_echo_gives_no_r2star():
    text = methods_text(qc=pd.DataFrame({"scan": ["sub-1"], "r2star_method": ["none"]}))
    assert "R2* was not estimated" in text


def test_methods_say_how_regions_were_measured():
    text = methods_text(values=measured("outside;slices", "slices", None))
    assert "labels were meant to lie on 3 consecutive axial slices" in text
    assert "did not were kept and flagged: 4 regions (counted per rater)" in text
    assert "This concerned 2 regions" in text
    assert "the average of the raters' values" in text
    assert "values of rater B alone" in methods_text(CONFIG | {"rater": "B"})


def test_methods_of_given_values_claim_no_measurement():
    text = methods_text(simulated=False, imaged=False, values=measured("slices"))
    assert "raters A and B were taken from a given table" in text
    assert "consecutive axial slices, and whether" in text
    assert "The table flags 2 regions as slices" in text
    assert "mean over all voxels of its slices" in text
    assert "labelled" not in text


def test_methods_say_what_the_simulation_is_and_is_not():
    text = methods_text()
    assert "sub-slices of at most 1 mm" in text
    assert "except for the dentate nucleus" in text
    assert "The match was by construction" in text
    assert "cortical veins, motion and flow were not simulated" in text


@pytest.mark.parametrize(("coding", "sign"), [("yes1_no2", "negative"), ("yes1_no0", "positive")])
def test_binary_coding_says_what_the_sign_means(coding, sign):
    coded = {rule: CONFIG[rule] | {"binary_coding": coding} for rule in ("table5", "table6")}
    assert f"a {sign} β means higher susceptibility" in methods_text(CONFIG | coded)


def test_binary_coding_must_be_the_same_in_both_tables():
    config = changed("table5", binary_coding="yes1_no0")
    with pytest.raises(StudyError, match=r"table6\.binary_coding: must equal table5"):
        methods_text(config | {"table6": {"binary_coding": "yes1_no2"}})


def test_methods_leave_out_what_was_not_done():
    looked = "looked for in the mask before its erosion"
    text = methods_text(changed("invert_dipole", edge_region="brain"))
    assert looked in text
    assert "those without data at either end kept 0.1 of the penalty" in text
    assert looked not in methods_text(changed("invert_dipole", edge_region="eroded"))
    assert "mean value filter" not in methods_text(changed("invert_dipole", smv_radius_mm=0))
    assert "simulated" not in methods_text(simulated=False).lower()
    assert "unwrapped" not in methods_text(imaged=False)


def test_methods_state_the_reference_of_maps_and_of_tables():
    assert "Zero susceptibility was set to the mean of the ventricular" in methods_text()
    brain = methods_text(changed("invert_dipole", reference="whole_brain"))
    assert "Zero susceptibility was set to the mean over the whole brain." in brain
    assert "ventricular cerebrospinal fluid; where none" not in brain
    for imaged in (True, False):
        text = methods_text(changed("summarize_rois", reference="whole_brain"), imaged=imaged)
        assert "expressed relative to the mean over the whole brain" in text
    assert "expressed relative" not in methods_text()


def test_methods_tell_an_atlas_from_raters():
    drawn = measured()
    both = methods_text(values=pd.concat([drawn, drawn.assign(rater="atlas")]))
    assert "Rater atlas is automatic: the ICBM152 template" in both
    assert "raters A and B labelled" in both
    alone = methods_text(
        CONFIG | {"atlas_template": "t.nii.gz"}, values=drawn.assign(rater="atlas")
    )
    assert "A registered atlas labelled" in alone
    assert "a template given by the study" in alone
    assert "atlas" not in methods_text(values=drawn).replace("Allen reference atlas", "")


@pytest.mark.parametrize("rule", ["flag", "exclude_region", "exclude_participant"])
def test_methods_say_what_became_of_touched_regions(rule):
    config = changed("summarize_rois", lesions=rule)
    assert "lesion touched" not in methods_text(config)
    text = methods_text(config, values=measured().assign(flag="lesion"))
    assert "lesion touched" in text
    assert "touched (per rater)." in text


def test_methods_reject_an_option_without_words():
    with pytest.raises(StudyError, match=r"unwrap_phase\.method: .*got 'magic'"):
        methods_text(changed("unwrap_phase", method="magic"))


def test_every_citation_is_in_the_bibliography_and_every_work_is_complete():
    works = references.parse(BIBLIOGRAPHY.read_text(encoding="utf-8"))
    cited = set()
    declared = [
        item.metadata["words"] or {}
        for section in options_words.WORDED_SECTIONS.values()
        for item in fields(section)
    ]
    for words in declared:
        cited |= set(re.findall(r"@([a-z]+\d+)", " ".join(words.values())))
    cited |= set(re.findall(r"@([a-z]+\d+)", methods_text()))
    assert cited <= set(works)
    for work in works.values():
        assert work.authors, work.key
        assert work.title, work.key
        assert re.match(r"10\.\d{4,}/\S+", work.doi), work.key
        assert re.match(r".+\. \d{4};", work.source), work.key


def test_citations_are_numbered_in_order_of_appearance():
    works = {key: references.BibliographyEntry(key, "", "", "", "") for key in "abc"}
    citations = references.Citations(works)
    first = citations.sentence("One [@c] and two [@a, @c].")
    assert first.parts == ("One", (1,), " and two", (2, 1), ".")
    assert [work.key for work in citations.cited] == ["c", "a"]


def test_unknown_citation_is_an_error():
    with pytest.raises(StudyError, match="nobody1999 is cited"):
        references.Citations({}).sentence("As is known [@nobody1999].")


def test_every_correction_has_its_short_name_and_every_coding_its_sign():
    """The report names them beside the options' own words, in captions and under tables."""
    assert set(methods.CORRECTION_NAMES) == set(stats_options.FDR)
    assert set(methods._LARGER_VALUES) == set(stats_options.BINARY_CODINGS)
    assert set(methods._T_TESTS) == set(stats_options.T_TESTS)
