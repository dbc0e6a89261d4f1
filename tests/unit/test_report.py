"""The report: printed numbers, sentences, methods text, and the page as a whole."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from report_study import (
    CONFIG,
    HOSTILE,
    ROOT,
    STUDY,
    SVG,
    TITLE,
    build,
    make_study,
    quality_table,
    scorecard_table,
    validation_table,
)

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.report import checks, flow, methods, page, printed, summary
from qsmstudy.report import numbers as nb
from qsmstudy.report.cells import number, p_value

VOID = {"meta", "img", "input", "br", "link", "hr"}


class Page(HTMLParser):
    """Elements of a page with their attributes, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text.append(data)

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]

    def words(self):
        return " ".join(" ".join(self.text).replace(nb.NO_BREAK, " ").split())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def text(study):
    return build(study)


@pytest.fixture(scope="module")
def html(text):
    return Page(text)


# --- Numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (0.3745, 3, "0.375"),  # a binary float just below the half
        (-2.675, 2, "−2.68"),
        (-0.0001, 2, "0.00"),
        (12.0, 0, "12"),
        (1e-12, 3, "0.000"),
        (None, 2, "n/a"),
        (float("nan"), 2, "n/a"),
        (float("inf"), 2, "∞"),
    ],
)
def test_decimal_rounds_half_up_in_decimal(value, places, expected):
    assert nb.decimal(value, places) == expected


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.0004, "<0.001"), (0.001, "0.001"), (0.04249, "0.042"), (0.9999, ">0.999"), (1, "1.000")],
)
def test_probability_is_exact_and_bounded(p, expected):
    assert nb.probability(p) == expected


def test_spread_follows_normality():
    assert nb.with_spread(0.073, 0.02882, 5, normal=True) == "0.07300 ± 0.02882"
    assert nb.with_spread(2, 4.25, 2, normal=False) == "2.00 (4.25)"


# --- Tables -----------------------------------------------------------------------------------


def cells(table, name):
    return {row[0].text: row for row in table.rows}[name]


def test_table3_prints_mean_or_median_by_normality(study):
    frame = bids.read_tsv(study["table3"])
    frame.loc[(frame["roi"] == "CN") & (frame["group"] == "HC"), "normal"] = "no"
    row = cells(printed.table3(frame, study=STUDY), "L CN")
    assert "±" in row[1].text
    assert "(" in row[2].text


def test_table5_has_a_row_per_factor_and_a_group_of_columns_per_region(study):
    table = printed.table5(bids.read_tsv(study["table5"]), study=STUDY)
    regions = [name for name, _ in table.groups if name]
    assert len(table.rows) == 10
    assert all(len(row) == 1 + 3 * len(regions) == len(table.columns) for row in table.rows)


def test_every_row_is_as_wide_as_its_headings(study):
    tables = [
        printed.table1(bids.read_tsv(study["table1"]), study=STUDY),
        printed.table2(bids.read_tsv(study["table2"]), study=STUDY),
        printed.table4(bids.read_tsv(study["table4"]), study=STUDY),
        printed.table6(bids.read_tsv(study["table6"]), study=STUDY),
        printed.correlations(bids.read_tsv(study["correlations"]), study=STUDY),
        printed.print_asymmetry(bids.read_tsv(study["asymmetry"]), study=STUDY),
        *checks.validation(validation_table()),
        checks.quality(quality_table(["sub-01", "sub-02"])),
    ]
    for table in tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_cells_sort_by_the_unrounded_number():
    assert p_value(0.00002).key == 0.00002
    assert number(float("nan"), 3).key == ""


def test_scorecard_prints_inequalities_and_says_what_missed():
    card = scorecard_table().rename(columns={"class": "kind"})
    table, verdicts = checks.scorecard(card), checks.verdicts(card)
    assert verdicts == ["match", "match", "miss", "none"]
    row = cells(table, "T1.smoking.p")
    assert row[1].text == row[2].text == "<0.001"
    assert row[-1].text == "all tests"


def test_shares_count_what_is_not_available_as_not_reproduced():
    card = scorecard_table().assign(kind="x")
    table = checks.share_table(card, by="kind", name="share", title="Share")
    assert [cell.text for cell in table.rows[0]] == [
        *("x", "4"),
        *("2", "1", "50.0 %"),
        *("4", "0", "100.0 %"),
    ]
    assert "2 (50.0 %, with 1 not available)" in checks.reproduction(card)


# --- Sentences --------------------------------------------------------------------------------


def test_differences_are_named_with_effect_interval_n_and_p(study):
    frame = bids.read_tsv(study["table3"])
    sentence = str(summary.differences_sentence(frame, groups=cohort.GROUPS, alpha=0.05))
    best = frame[frame["significant"] == "yes"].sort_values("hedges_g").iloc[-1]
    effect = f"Hedges g {nb.decimal(best.hedges_g, 2)}"
    assert re.search(rf"{effect} \(95 % CI .*\), n = 12 and 10, corrected p [=<]", sentence)


def no_difference(frame):
    return str(summary.differences_sentence(frame, groups=cohort.GROUPS, alpha=0.05))


def test_no_difference_is_said_of_the_regions_tested(study):
    frame = bids.read_tsv(study["table3"]).assign(significant="no")
    frame.loc[frame["roi"] == "DN", "p"] = np.nan
    assert "found at corrected p < 0.05 in 12 tested regions" in no_difference(frame)
    assert "No region could be tested" in no_difference(frame.assign(p=np.nan))


def test_no_asymmetry_is_said_of_the_comparisons_made(study):
    frame = bids.read_tsv(study["asymmetry"]).assign(p=0.5)
    frame.loc[0, "p"] = np.nan
    sentence = str(summary.asymmetry(frame, alpha=0.05))
    assert "was found at uncorrected p < 0.05 in 13 comparisons" in sentence


def test_no_sentence_claims_a_test_that_was_not_made(study):
    nothing = {"marker": ["combination"], "auc": [np.nan], "note": ["no region differs"]}
    table4 = pd.DataFrame(nothing)
    for say in (summary.discrimination, summary.curves):
        said = str(say(table4, alpha=0.05, optimism="apparent"))
        assert said == "No ROC curve was drawn: no region differs."
    table5, table6 = bids.read_tsv(study["table5"]), bids.read_tsv(study["table6"])
    options = {"groups": cohort.GROUPS, "alpha": 0.05, "entry_p": 0.1}

    def said_of(single, several):
        return str(summary.regression(single, several, **options))

    empty = table5.iloc[:1].assign(factor=np.nan, p=np.nan)
    assert said_of(empty, table6) == "No region differed, so no regression was run."
    assert "could be fitted" in said_of(table5.assign(p=np.nan), table6)
    some = table5.assign(selected="no", p=[0.5] * (len(table5) - 1) + [np.nan])
    assert f"p < 0.1 in {len(table5) - 1} regressions" in said_of(some, table6)
    none = bids.read_tsv(study["correlations"]).assign(p=np.nan)
    assert "No correlation" in str(summary.correlation(none, alpha=0.05))


def test_area_of_the_combination_is_called_apparent_and_has_no_p(study, html):
    table4 = bids.read_tsv(study["table4"])
    assert table4.set_index("marker")["p"].isna().to_list()[-1]
    optimism = methods.optimism(CONFIG)
    found = str(summary.discrimination(table4, alpha=0.05, optimism=optimism))
    assert "reached an apparent AUC" in found
    assert "positive state: HC" in found
    assert html.words().count("of regions chosen on the same participants") == 4
    assert "chosen on" not in methods.optimism(
        CONFIG | {"table4": CONFIG["table4"] | {"rois": ["CN"]}}
    )


def test_intervals_bear_their_own_level(study):
    table3, table4 = bids.read_tsv(study["table3"]), bids.read_tsv(study["table4"])
    text = str(summary.differences_sentence(table3, groups=cohort.GROUPS, alpha=0.1))
    text += summary.curves(table4, alpha=0.1, optimism="")
    wide = printed.table4(table4, study=replace(STUDY, alpha=0.1))
    text += " ".join(column.label for column in wide.columns)
    assert "90 % CI" in text
    assert "95 %" not in text


def test_flow_names_everyone_left_out_once():
    people = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-2", "sub-3", "sub-4"],
            "group": ["AIS", "AIS", "HC", "HC"],
            "nihss_admission": [1, np.nan, np.nan, np.nan],
        }
    )
    values = pd.DataFrame({"participant_id": ["sub-1", "sub-3", "sub-9"], "rater": "A"})
    qc = quality_table(["sub-1", "sub-3", "sub-4", "sub-9"])
    who = {"groups": cohort.GROUPS, "flagged": ["sub-1"], "scores": cohort.SCORES}
    steps = flow.steps(people, values, qc, **who, excluded={})
    assert [step.count for step in steps] == [4, 4, 3, 2, 1]
    assert [step.lost for step in steps] == [(), ("sub-2",), ("sub-4",), ("sub-9",), ()]
    assert steps[3].details == ("AIS: 1", "HC: 1", "with a quality flag: 1")
    assert steps[4].details == ("NIHSS at admission: 1",)
    steps = flow.steps(people, values, qc, **who, excluded={"sub-3": "moved"})
    assert [step.count for step in steps] == [4, 4, 3, 2, 1, 1]
    assert (steps[2].lost, steps[2].reason) == (("sub-3: moved",), "by decision")


# --- The page ---------------------------------------------------------------------------------


def test_page_needs_nothing_from_outside(html, text):
    for tag, attributes in html.elements:
        assert attributes.get("src", "data:").startswith("data:"), tag
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        if tag != "a":
            assert "href" not in attributes
    assert not re.search(r"@import|url\(", text)
    policy = [a["content"] for a in html.all("meta") if "http-equiv" in a]
    assert policy
    assert policy[0].startswith("default-src 'none'")


def test_policy_admits_the_own_script_only(text):
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[-1].encode()).digest()).decode()
    assert len(scripts) == 1
    assert f"script-src 'sha256-{digest}'" in text
    assert text.startswith("<!DOCTYPE html>")


def test_banner_says_simulated_only_when_it_is(html, study, tmp_path):
    assert "no evidence for the paper's findings" in html.words()
    assert study["origin"] in html.words()
    own = study | {"simulated": False, "validation": None, "report": tmp_path / "own.html"}
    own |= {"origin": "Analysed: /data/mine."}
    words = Page(build(own)).words()
    assert "Analysed: /data/mine." in words
    assert "no evidence for the paper" not in words
    assert "simulated" not in words.lower()


def test_simulated_relations_stand_with_the_associations(html, study, tmp_path):
    # Summary (factors, scores), Tables 5 and 6, correlations.
    assert html.words().count("does not print was left to chance") == 5
    assert html.words().count("means higher susceptibility with the factor") == 4  # and methods
    own = study | {"simulated": False, "validation": None, "report": tmp_path / "own.html"}
    assert "left to chance" not in Page(build(own)).words()


def test_free_text_shows_as_text(html, text):
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert html.words().count(HOSTILE) >= 3  # flag, note, configuration
    assert f"<title>{TITLE}" not in text
    assert TITLE in html.words()


def test_headings_go_down_one_level_at_a_time(html):
    levels = [int(tag[1]) for tag, _ in html.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_has_words_and_every_reference_a_target(html):
    images = html.all("img")
    assert len(images) == 6 + 2 * 2  # figures; of each scan a picture in the grid and a page
    assert all(image["alt"].strip() for image in images)
    ids = [a["id"] for _, a in html.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for a in html.all("a") if a["href"].startswith("#")]
    labels = [a["aria-labelledby"] for _, a in html.elements if "aria-labelledby" in a]
    assert set(links) | set(labels) <= set(ids)


def test_scrolling_parts_can_be_reached_by_keyboard(html):
    scrolling = [a for _, a in html.elements if re.search(r"scroll|plate", a.get("class", ""))]
    assert len(scrolling) > 10
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in scrolling)


def test_downloads_are_the_unrounded_tables(html, study):
    links = {a["download"]: a["href"] for a in html.all("a") if "download" in a}
    assert set(links) >= {f"table{i}.tsv" for i in range(1, 7)}
    assert links["table3.tsv"] == page.data_uri(study["table3"])


def test_identical_inputs_give_identical_bytes(study, text, tmp_path):
    again = {"report": tmp_path / "again.html", "figures": list(reversed(study["figures"]))}
    assert build(study | again) == text


def test_report_of_measured_values_only(study, tmp_path):
    none = dict.fromkeys(("scorecard", "validation", "qc"))
    own = study | none | {"mosaics": [], "figures": study["figures"][1:], "simulated": False}
    html = Page(build(own | {"report": tmp_path / "own.html"}))
    assert "unwrapped" not in html.words()
    assert len(html.all("img")) == 5


@pytest.mark.parametrize("sizes", [(3, 3), (8, 8)])
def test_report_of_a_tiny_study_is_whole(tmp_path, sizes):
    html = Page(build(make_study(tmp_path, sizes=sizes)))
    assert "Table 6." in html.words()
    assert "nan" not in html.words().split()


def test_unknown_figure_is_an_error(study, tmp_path):
    stray = tmp_path / "figure9.svg"
    stray.write_text(SVG)
    with pytest.raises(StudyError, match="figure9"):
        build(study | {"figures": [stray], "report": tmp_path / "report.html"})


# --- Colours ----------------------------------------------------------------------------------


def luminance(color):
    parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first, second):
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrast_reaches_wcag_aa(scheme):
    style = (ROOT / "workflow" / "report" / "report.css").read_text(encoding="utf-8")
    pairs = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", style)
    colors = {name: pair[scheme == "dark"] for name, *pair in pairs}
    for words in ("text", "muted", "accent", "lost"):
        for ground in ("ground", "raised"):
            assert contrast(colors[words], colors[ground]) >= 4.5, (words, ground)  # WCAG 2.2 AA
    assert contrast(colors["warn-text"], colors["warn-ground"]) >= 4.5
