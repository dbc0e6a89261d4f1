"""A study from two tables to its report, every script by the configuration, in one process."""

import inspect
import runpy
import typing
from functools import cache
from pathlib import Path

import yaml
from report_study import GRAPH
from snakemake.utils import update_config

from qsmstudy.run import configuration, job, schema_check
from qsmstudy.stats import catalogue
from qsmstudy.study.study import Study

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = configuration.schema()

#: Scripts in the order of the rules, with the name of what each makes; the slowest one is left out.
TABLES = {
    table.rule: table.name for table in catalogue.rule_tables() if table.rule != "replicate_null"
}
FIGURES = ("figure2", "figure3", "figure4", "figure5", "figure6")


def configured(*overlays):
    """The default configuration under overlays, merged as Snakemake merges them and checked."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    for path in overlays:
        text = path if isinstance(path, str) else path.read_text()
        update_config(config, yaml.safe_load(text))
    schema_check.check(config, SCHEMA)
    return config


@cache
def script(name):
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))["main"]


def run(name, config, files, /, **more):
    """Call a script with the arguments that its rule would give it, by their names."""
    main = script(name)
    known = config | {"groups": Study.in_config(config).by_role}
    known |= {key: path for key, path in files.items() if path is not None}
    hints = typing.get_type_hints(main).items()
    sections = {key: hint.in_config(config) for key, hint in hints if job.is_section(hint)}
    arguments = known | config.get(name, {}) | sections | more
    main(**{key: arguments[key] for key in inspect.signature(main).parameters if key in arguments})


def tabulate(config, folder, *, tables=TABLES):
    """Make tables from ``participants.tsv`` and ``roi_values.tsv`` in `folder`."""
    files = {name: folder / f"{name}.tsv" for name in ("participants", "roi_values", "roi_means")}
    run("summarize_rois", config, files)
    files |= {name: folder / f"{name}.tsv" for name in TABLES.values()}
    curves = folder / "roc_curves.tsv"
    files |= {"roc_curves": curves, "curves": curves, "ages": folder / "age.tsv"}
    for name, stem in tables.items():
        run(name, config, files, table=folder / f"{stem}.tsv")
    return files


def report(config, folder, files):
    """Draw every figure that needs no image and write the report; return its text."""
    pictures = []
    for name in FIGURES:
        pictures.append(folder / f"{name}.svg")
        made = {"svg": pictures[-1], "png": folder / f"{name}.png"}
        if name == "figure6":
            made["table"] = files["power"]
        run(name, config, files, **made)
    templates = sorted(p for p in (ROOT / "workflow" / "report").rglob("*.*") if p.is_file())
    run(
        "build_report", config, files,
        config=config, figures=pictures, mosaics=[], packs=[],
        simulated=False, origin="Analysed: mine.",
        tables=[folder / f"{name}.tsv" for name in TABLES.values()],
        references=ROOT / "resources" / "references.bib", templates=templates,
        lock=ROOT / "envs" / "requirements.lock", report=folder / "report.html",
        acquisition=[], graph=GRAPH, benchmarks=str(folder / "benchmarks"),
    )  # fmt: skip
    return (folder / "report.html").read_text(encoding="utf-8")
