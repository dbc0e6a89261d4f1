"""The report's newer parts: scans, links to cells, checklist, graph, run times, headline."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import stats_cohort as cohort
from PIL import Image
from report_study import CONFIG, GRAPH, ROOT, STUDY, arguments_of, make_study

from qsmstudy.dataset import bids, published
from qsmstudy.dataset.published import PublishedNumber, TablePlace
from qsmstudy.errors import StudyError
from qsmstudy.report import cell_links, checks, graph, headline, printed, reporting, scans
from qsmstudy.run import run_record


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("parts"))


# --- Scans ------------------------------------------------------------------------------------


def gathered(study, **changes):
    options = {
        "qc": bids.read_tsv(study["qc"]),
        "roi_values": bids.read_tsv(study["roi_values"]),
        "group_of": {"sub-01": "AIS", "sub-02": "AIS"},
        "flagged": {},
        "excluded": {},
        "outlier_z": 3.5,
    }
    return scans.scan_views(study["mosaics"], **options | changes)


def test_scans_come_worst_first_with_outliers_and_failed_checks_marked(study):
    first, second = gathered(study)
    assert (first.name, first.score_text) == ("sub-01", "14.2")
    assert second.score_text == "0.5"
    assert [row[-1].text for row in first.parts.rows] == ["outlier"]
    assert [row[-1].text for row in second.parts.rows] == [""]
    signs = [
        check.good for scan in (first, second) for check in scan.checks if check.label == "Sign"
    ]
    assert signs == [False, True]


def test_scans_without_quality_table_keep_their_pictures(study):
    found = gathered(study, qc=None)
    assert [scan.name for scan in found] == ["sub-01", "sub-02"]
    assert all(scan.parts is None and scan.score is None for scan in found)
    assert all(scan.picture.startswith("data:image/webp;base64,") for scan in found)


def test_picture_that_cannot_be_read_is_named(study, tmp_path):
    broken = tmp_path / "sub-01.png"
    broken.write_bytes(b"\x89PNG")
    with pytest.raises(StudyError, match="not a readable picture"):
        scans.scan_views([broken], qc=None, roi_values=bids.read_tsv(study["roi_values"]),
                     group_of={}, flagged={}, excluded={}, outlier_z=3.5)  # fmt: skip


def test_region_means_weight_slices_by_voxels():
    rows = {"participant_id": "s", "rater": "A", "roi": "CN", "hemisphere": "L"}
    values = pd.DataFrame({"chi_mean_ppm": [1, 5], "n_voxels": [3, 1]}).assign(**rows)
    assert scans.region_means(values)["chi_ppm"].to_list() == [2.0]
    assert scans.region_means(values.drop(columns="n_voxels"))["chi_ppm"].to_list() == [3.0]


# --- Links ------------------------------------------------------------------------------------


def test_every_published_number_leads_to_a_cell(study):
    """With the paper's four regions in Tables 4 to 6, as in the default study."""
    frames = {name: bids.read_tsv(study[name]) for name in study if str(name).startswith("table")}
    paper = [f"{side} {roi}" for roi in ("CN", "PUT") for side in "LR"]
    factor = pd.DataFrame({"hemisphere": r[0], "roi": r[2:], "factor": f} for r in paper
                          for f in CONFIG["table5"]["factors"])  # fmt: skip
    table5 = factor.assign(beta=0.1, p=0.5, n=9, selected="no", note=None)
    terms = factor.rename(columns={"factor": "term"})
    table6 = terms.assign(beta=0.1, t=1, p=0.5, vif=1, adj_r2=0, f=1, df1=1, df2=9, p_model=0.5,
                          n=9, note=None)  # fmt: skip
    markers = pd.DataFrame({"marker": [*paper, "combination"]})
    for name in frames["table4"].columns.difference(["marker", "note", "positive_group"]):
        markers[name] = 0.5
    markers = markers.assign(note=None, positive_group="HC")
    tables = [
        printed.table1(frames["table1"], study=STUDY),
        printed.table2(frames["table2"], study=STUDY),
        printed.table3(frames["table3"], study=STUDY),
        printed.table4(markers, study=STUDY),
        printed.table5(table5, study=STUDY),
        printed.table6(table6, study=STUDY),
        printed.correlations(bids.read_tsv(study["correlations"]), study=STUDY),
        printed.print_asymmetry(bids.read_tsv(study["asymmetry"]), study=STUDY),
    ]
    named = {table.name: table for table in tables}
    numbers = published.read_published(ROOT / "resources" / "published.yaml").numbers
    found = {number.name: cell_links.find_printed_cell(number.cell, named) for number in numbers}
    assert None not in found.values()
    # The sizes of the groups stand in headings, the range and the tests of all regions in no cell.
    whole = {identifier for identifier, place in found.items() if place in named}
    assert whole == {
        *("T1.n.AIS", "T1.n.HC", "S3.2.icc.min", "S3.2.icc.max", "S3.5.scores_roi_ns"),
    }  # fmt: skip
    name, row, column = found["T3.RPUT.HC.mean"].rsplit("-", 2)
    table = named[name]
    assert table.rows[int(row)][0].text == "R PUT"
    assert table.columns[int(column)].label.startswith("HC (")
    name, _, column = found["T4.COMB.ci_lo"].rsplit("-", 2)
    assert named[name].columns[int(column)].label == "95 % CI"


def test_number_without_a_table_has_no_link():
    for table in ("unknown", "table3"):
        assert (
            cell_links.find_printed_cell(TablePlace(table, ("mean",), {"group": "AIS"}), {}) is None
        )


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("Table 3", "Table 3"),
        ("sec 3.4", "Text, Section 3"),
        ("abstract, sec 3.3", "Abstract"),
        (None, ""),
    ],
)
def test_part_of_the_paper_follows_from_the_source(source, part):
    assert cell_links.paper_part_of(PublishedNumber("x", 1, 0, source=source)) == part


def test_every_published_number_counts_in_one_of_eight_parts():
    numbers = published.read_published(ROOT / "resources" / "published.yaml").numbers
    tables = {f"Table {number}" for number in range(1, 7)}
    assert set(map(cell_links.paper_part_of, numbers)) == tables | {"Text, Section 3", "Abstract"}


# --- Checklist, graph, run times, headline ----------------------------------------------------


def test_checklist_takes_the_acquisition_from_the_sidecars():
    same = {"MagneticFieldStrength": 3.0, "RepetitionTime": 0.055}
    echoes = [same | {"EchoTime": time} for time in (0.012, 0.006)]
    acquisition = reporting.acquired(echoes, ((244, 244, 72), np.diag([-0.9, 0.9, 2.0, 1])))
    table = reporting.checklist(
        acquisition, versions={"qsmstudy": "1.0"}, pipeline=["A.", "B."], qc=None, criteria="none"
    )
    values = {row[1].text: row[3].text for row in table.rows}
    assert values["Field strength [T]"] == "3"
    assert values["Echoes: number and times [ms]"] == "2: 6, 12"
    assert values["Field of view [mm]"] == "219.6 × 219.6 × 144"
    assert values["Voxel size [mm]"] == "0.9 × 0.9 × 2"
    assert values["Repetition time [ms]"] == "55"
    assert values["Vendor"] == reporting.NOT_STATED
    assert values["Algorithms and parameters"] == "A. B."
    assert values["Orientation of the slices"] == "axial"


def test_checklist_tells_a_tilted_acquisition():
    cos, sin = np.cos(np.radians(20)), np.sin(np.radians(20))
    tilted = np.diag([1.0, 1.0, 2.0, 1.0])
    tilted[1:3, 1:3] = np.array([[cos, -sin], [sin, cos]]) @ tilted[1:3, 1:3]
    assert reporting.orientation(tilted) == "axial, tilted by 20 degrees"
    assert reporting.orientation(tilted[:, [1, 2, 0, 3]]) == "sagittal"


def test_checklist_states_the_reference_relative_to_the_whole_brain():
    qc = pd.DataFrame(
        {"reference_region": ["ventricular CSF"] * 2, "csf_less_whole_brain_ppm": [0.004, 0.006]}
    )
    assert "at 0.0050 ± 0.0014 ppm" in reporting.reference(qc)
    assert reporting.reference(None) == ""


def test_graph_stands_in_layers_without_implied_lines():
    drawing = graph.draw_rule_graph(GRAPH)
    height = {node.name: node.y for node in drawing.nodes}
    assert height["summarize_rois"] < height["table3"] < height["build_report"]
    assert len(drawing.lines) == 3  # summarize_rois to build_report is implied
    assert graph.draw_rule_graph({}) is None


def test_rule_graph_follows_files_and_input_functions():
    class Pattern(str):
        def regex(self):
            return self.replace("{s}", "(.+)")

    def rule(inputs, *patterns):
        output = [Pattern(pattern) for pattern in patterns]
        return SimpleNamespace(docstring="why", input=inputs, output=output)

    rules = {
        "scan": rule([], "raw/{s}.nii"),
        "map": rule(["raw/{s}.nii"], "map/{s}.nii"),
        "aside": rule(["raw/{s}.nii"], "aside.txt"),
        "page": rule([lambda w: [f"map/{w.s}.nii"]], "page.html"),
    }
    found = run_record.rule_graph(rules, "page", {"s": "01"})
    assert {name: entry["from"] for name, entry in found.items()} == {
        "scan": [],
        "map": ["scan"],
        "page": ["map"],
    }


def test_run_times_add_up_over_the_jobs(study):
    rows = run_record.run_times(study["benchmarks"])
    assert rows == [{"rule": "table1", "jobs": 2, "wall_s": 3.0, "cpu_s": 2.0, "memory_mb": 100.0}]
    table = checks.run_time_rows(rows, GRAPH)
    assert [cell.text for cell in table.rows[0]][2:] == ["2", "3", "2", "100"]
    assert checks.run_time_rows([], GRAPH) is None


def test_headline_gives_the_largest_effect_with_its_interval(study):
    frame = bids.read_tsv(study["table3"])
    groups = {"groups": cohort.GROUPS, "alpha": 0.05}
    table4 = bids.read_tsv(study["table4"])
    first, _, last = headline.sentences(frame, table4, **groups, last="End.")
    largest = frame["hedges_g"].abs().max()
    assert f"Hedges g {largest:.2f} (95 % CI" in first.replace("\N{MINUS SIGN}", "-")
    assert last == "End."
    none, curves, _ = headline.sentences(
        frame.assign(significant="no"), pd.DataFrame({"auc": [np.nan]}), **groups, last=""
    )
    assert "differed in none of 14 regions" in none
    assert "no ROC curve" in curves


# --- Cost -------------------------------------------------------------------------------------

RUNNER = """
import json, resource, runpy, sys
from pathlib import Path
from qsmstudy.report.page_options import BuildReport
from qsmstudy.study.study import Study
given = json.loads(Path(sys.argv[1]).read_text())
for name, value in given["paths"].items():
    given["params"][name] = [Path(p) for p in value] if isinstance(value, list) else Path(value)
given["params"]["study"] = Study.of(given["params"]["study"])
given["params"]["options"] = BuildReport(**given["params"]["options"])
runpy.run_path(given["script"])["main"](**given["params"])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_report_of_64_participants_is_cheap(tmp_path):
    """Slow for a unit test (about 15 CPU s), because 64 full-size pictures are the cost."""
    _, arguments = arguments_of("build_report", make_study(tmp_path, sizes=(34, 30)))
    grain = np.random.default_rng(1).normal(0, 12, (900, 1200))
    slope = np.linspace(0, 200, 1200) * np.linspace(0.2, 1, 900)[:, None]
    picture = Image.fromarray(np.clip(slope + grain, 0, 255).astype(np.uint8)).convert("P")
    arguments["mosaics"] = [tmp_path / f"sub-{i:02d}.png" for i in range(1, 65)]
    picture.save(tmp_path / "picture.png")
    for path in arguments["mosaics"]:
        shutil.copyfile(tmp_path / "picture.png", path)
    arguments["options"] = arguments["options"].report()
    paths = {name: v for name, v in arguments.items() if isinstance(v, Path | list)}
    arguments["study"] = STUDY.report()
    given = {
        "script": str(ROOT / "scripts" / "build_report.py"),
        "params": {name: value for name, value in arguments.items() if name not in paths},
        "paths": paths,
    }
    (tmp_path / "given.json").write_text(json.dumps(given, default=str))
    command = [sys.executable, "-c", RUNNER, tmp_path / "given.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split()[-2:])
    size = arguments["report"].stat().st_size / 1e6
    assert seconds < 60  # CPU s, what the project promises
    assert megabytes < 1500
    assert size < 40  # MB
