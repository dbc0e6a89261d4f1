"""The ten scripts of the tables, one after the other, on a small study."""

import inspect
import runpy
import typing

import numpy as np
import pytest
import stats_cohort as cohort

from qsmstudy.dataset import bids
from qsmstudy.run import job

SCRIPTS = cohort.ROOT / "scripts"
#: In the order of the study.
TABLES = (
    *("table1", "table2", "table3", "estimate_power", "table4", "table5", "table6"),
    *("correlate_scores", "compare_hemispheres", "compare_lesion_sides"),
)


def run_all(folder, *, rois, **declarations):
    """Run the scripts in the order of the study; return their tables by name."""
    chosen = {name: cohort.CONFIG[name] | {"rois": rois} for name in ("table4", "table5")}
    config = cohort.CONFIG | chosen | declarations
    for rule in TABLES:
        main = runpy.run_path(str(SCRIPTS / f"{rule}.py"))["main"]
        hints = typing.get_type_hints(main)
        arguments = {
            name: hints[name].in_config(config)
            if job.is_section(hints[name])
            else folder / f"{name}.tsv"
            for name in inspect.signature(main).parameters
        }
        main(**arguments | {"table": folder / f"{rule}.tsv"})
    return {name: bids.read_tsv(folder / f"{name}.tsv") for name in (*TABLES, "roc_curves")}


@pytest.mark.parametrize("sizes", [(34, 30), (3, 3)])
@pytest.mark.parametrize("rois", ["significant", ["CN", "PUT"]])
def test_scripts_run_from_participants_to_every_table(tmp_path, sizes, rois):
    cohort.study(tmp_path, sizes=sizes, missing=sizes[0] > 8)
    tables = run_all(tmp_path, rois=rois)
    rows = {name: len(table) for name, table in tables.items()}
    assert rows["table1"] == 25
    assert rows["table2"] == 28
    assert rows["table3"] == 42
    assert rows["correlate_scores"] == 60
    assert rows["compare_hemispheres"] == 14
    assert rows["compare_lesion_sides"] == 7
    assert rows["estimate_power"] == 14
    if rois != "significant":
        assert rows["table4"] == 5
        assert rows["table5"] == 40


def test_study_without_a_difference_keeps_a_row_with_the_reason(tmp_path):
    cohort.study(tmp_path, sizes=(30, 30))
    means = bids.read_tsv(tmp_path / "roi_means.tsv")
    chi = means["chi_ppm"].to_numpy()
    bids.write_tsv(
        tmp_path / "roi_means.tsv", means.assign(chi_ppm=np.tile(chi[: chi.size // 2], 2))
    )
    tables = run_all(tmp_path, rois="significant")
    for name in ("table4", "table5", "table6"):
        assert len(tables[name]) == 1
        assert "region" in tables[name]["note"].iloc[0]
    assert tables["roc_curves"].empty


def test_identical_runs_give_identical_bytes(tmp_path):
    cohort.study(tmp_path)
    contents = []
    for _ in range(2):
        run_all(tmp_path, rois="significant")
        contents.append({path.name: path.read_bytes() for path in tmp_path.glob("*.tsv")})
    assert contents[0] == contents[1]
