"""Everything that the page shows, gathered from the study's files."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.report import (
    audit,
    cells,
    checks,
    flow,
    further,
    graph,
    headline,
    methods,
    options,
    page,
    places,
    printed,
    references,
    reporting,
    scans,
    summary,
)
from qsmstudy.report import numbers as nb
from qsmstudy.report.reconstruction import reconstruction
from qsmstudy.report.study import TABLES, Study
from qsmstudy.stats import association

#: Figures by file stem: heading, and what a reader who cannot see it should know.
FIGURES = {
    "figure1": (
        "Regions of interest",
        "Axial susceptibility maps in grey with the outlines of the labelled nuclei.",
    ),
    "figure2": (
        "Susceptibility by group",
        "Every participant's susceptibility by region, side and group, with quartiles.",
    ),
    "figure3": (
        "Discrimination of the groups",
        "ROC curves of single regions and of their combination.",
    ),
    "figure4": (
        "{axes}",
        "Scatter plot in the patients: {axes}.",
    ),
    "figure5": (
        "Left against right",
        "Every participant's susceptibility on the left joined to that on the right.",
    ),
    "figure6": (
        "Power and replication",
        "Power of each region's comparison, and participants per group for a replication.",
    ),
}

_NUMBERS = {7: "fourteen "}


def question(groups: Mapping[str, str], config: Mapping[str, Any]) -> str:
    """Say what the study asks."""
    what = "magnetic susceptibility of {}deep gray nuclei, a marker of iron,".format(
        _NUMBERS.get(len(config["nuclei"]), "")
    )
    clinical = (
        "clinical factors and scores" if config["covariates"]["scores"] else "age and factors"
    )
    if len(groups) == 1:
        return f"Is the {what} related to {clinical} in {groups['patients']}?"
    join = "between" if len(groups) == 2 else "among"
    names = nb.listing(list(groups.values()))
    return f"Does the {what} differ {join} {names}, and is it related to {clinical}?"


def gather(study: Study, *, bibliography: str) -> dict[str, Any]:
    """Return what the templates show, by name.

    Parameters
    ----------
    study : Study
        The study's files and settings.
    bibliography : str
        Content of the ``.bib`` file.
    """
    citations = references.Citations(references.parse(bibliography))
    values = study.need("roi_values")
    text = methods.sections(
        study.config,
        groups=study.groups,
        alpha=study.alpha,
        simulated=study.simulated,
        imaged=study.imaged,
        roi_values=values[~values["participant_id"].isin(list(study.excluded))],
        excluded=len(study.excluded),
        qc=study.frame("qc"),
    )
    parts = [
        {"title": part.title, "sentences": citations.paragraph(part.sentences)} for part in text
    ]
    flagged = flow.find_flags(study.frame("qc"), values)
    kept = {person: flags for person, flags in flagged.items() if person not in study.excluded}
    content = {
        "title": study.title,
        "simulated": study.simulated,
        "calibration": methods.CALIBRATION if study.simulated else (),
        "groups": study.groups,
        "provenance": dict(study.provenance),
        "versions": page.versions(),
        "configuration": page.as_yaml(study.config),
        "question": question(study.groups, study.config),
        "flow": flow.steps(
            study.need("participants"),
            values,
            study.frame("qc"),
            groups=study.groups,
            flagged=flagged,
            scores=study.config["covariates"]["scores"],
            excluded=study.excluded,
            left_out=flow.unusable(study.frame("scans")),
        ),
        "flagged": kept,
        "flag_count": flow.count_flagged(kept),
        "excluded": study.excluded,
        "decisions_file": study.config["decisions"],
        "downloads": downloads(study),
        "methods": parts,
        "references": citations.cited,
        "bibtex": page.text_uri(citations.bibtex(bibliography), "application/x-bibtex"),
        "scans": _scans(study, flagged),
        "facts": facts(study),
        "viewer": study.viewer,
        "reporting": _reporting(study),
        "graph": graph.draw(study.graph),
        "run_times": checks.run_times(study.run_times, study.graph),
    }
    content |= printed_tables(study)
    content |= _links(content, study)
    content["findings"] = _findings(study, content["facts"], kept)
    content["headline"] = _headline(study)
    content["figures"] = _figures(study.figures, axes=content["facts"]["axes"])
    content["sections"] = _sections(content)
    return content


def facts(study: Study) -> dict[str, str | summary.Finding]:
    """Return the result sentences that the summary and the captions share."""
    alpha, table4 = study.alpha, study.need("table4")
    optimism = methods.optimism(study.config)
    return {
        "cohort": summary.cohort(study.need("table1"), groups=study.groups),
        "differences": summary.differences(study.need("table3"), groups=study.groups, alpha=alpha),
        "agreement": summary.agreement(study.need("table2"), alpha=alpha),
        "discrimination": summary.discrimination(table4, alpha=alpha, optimism=optimism),
        "regression": summary.regression(
            study.need("table5"),
            study.need("table6"),
            groups=study.groups,
            alpha=alpha,
            entry_p=options.setting(study.config, "table5", "entry_p"),
        ),
        "correlation": summary.correlation(study.need("correlations"), alpha=alpha),
        "age": summary.scatter(_correlation(study), alpha=alpha),
        "axes": summary.axes(*_axes(study)),
        "asymmetry": summary.asymmetry(study.need("asymmetry"), alpha=alpha),
        "sizes": summary.sizes(study.need("table3"), groups=study.groups),
        "curves": summary.curves(table4, alpha=alpha, optimism=optimism),
        "power": summary.power(study.need("power"), alpha=alpha),
        "positive": printed.positive_state(table4),
        "correction": methods.CORRECTIONS[options.setting(study.config, "table3", "fdr")],
    }


def _axes(study: Study) -> tuple[str, str | None]:
    return study.config["figure4"]["x"], study.config["figure4"]["y"]


def _correlation(study: Study) -> dict[str, Any] | None:
    """Return the correlation that Figure 4 shows."""
    x, y = _axes(study)
    ages = study.frame("age")
    return association.find_correlation(
        study.need("correlations"),
        pd.DataFrame(columns=["group"]) if ages is None else ages,
        **{"x": x, "y": y, "group": study.groups["patients"]},
    )


def _scans(study: Study, flagged: Mapping[str, str]) -> list[scans.ScanView]:
    people = study.need("participants")
    return scans.gather(
        study.mosaics,
        qc=study.frame("qc"),
        roi_values=study.need("roi_values"),
        group_of=dict(zip(people["participant_id"], people["group"], strict=True)),
        flagged=flagged,
        excluded=study.excluded,
        outlier_z=options.setting(study.config, "summarize_quality", "outlier_z"),
    )


def _reporting(study: Study) -> cells.Table | None:
    """Print the checklist of the consensus; nothing where the study has no scans."""
    if not study.imaged:
        return None
    excluded = len(study.excluded)
    return reporting.table(
        study.acquisition,
        versions=page.versions(),
        pipeline=[
            references.plain(text) for text in reconstruction(study.config, qc=study.frame("qc"))
        ],
        qc=study.frame("qc"),
        criteria=(
            f"{excluded} of {len(study.need('participants'))} participants excluded after looking "
            "at the scans; reasons under Participants"
            if excluded
            else "nobody was excluded by a decision"
        ),
    )


def _headline(study: Study) -> dict[str, Any]:
    card = study.frame("scorecard")
    return {
        "origin": study.origin,
        "sentences": headline.sentences(
            study.need("table3"),
            study.need("table4"),
            groups=study.groups,
            alpha=study.alpha,
            last=summary.agreement(study.need("table2"), alpha=study.alpha)
            if card is None
            else checks.reproduction(card),
        ),
    }


def _links(content: Mapping[str, Any], study: Study) -> dict[str, Any]:
    """Link each published number with the table cell that reproduces it."""
    if content["scorecard"] is None:
        return {"links": [], "targets": frozenset()}
    tables = {table.name: table for table in (*content["tables"], *content["associations"])}
    cells = [study.published[row[0].text].cell for row in content["scorecard"].rows]
    links = [None if cell is None else places.find(cell, tables) for cell in cells]
    return {"links": links, "targets": frozenset(filter(None, links)) - set(tables)}


def _findings(
    study: Study, known: Mapping[str, str | summary.Finding], flagged: Mapping[str, str]
) -> list[dict[str, Any]]:
    related = _relations(study)
    fitted = study.need("table5")["p"].notna().any()
    coding = (methods.coding(study.config),) if fitted else ()
    found: list[tuple[str, str | summary.Finding]] = [
        ("Cohort", known["cohort"]),
        ("Group difference", known["differences"]),
        ("Discrimination", known["discrimination"]),
        ("Clinical factors", _noted(known["regression"], *coding, *related)),
        ("Scores", _noted(known["correlation"], *related)),
        ("Left and right", known["asymmetry"]),
        ("Raters", known["agreement"]),
    ]
    scorecard, validation = study.frame("scorecard"), study.frame("validation")
    if scorecard is not None:
        worth = (methods.BY_CONSTRUCTION,) if study.simulated else ()
        judged = study.frame("conclusions")
        found.append(("Reproduction", _noted(checks.reproduction(scorecard, judged), *worth)))
    if validation is not None:
        found.append(("Accuracy", checks.accuracy(validation)))
    if study.frame("qc") is not None:
        found.append(("Quality", flow.count_flagged(flagged)))
    if left_out := flow.unusable(study.frame("scans")):
        found.insert(0, ("Left out", flow.count_left_out(left_out)))
    return [
        {"label": label, "lead": text.lead, "entries": text.items, "notes": text.notes}
        for label, text in ((label, _noted(text)) for label, text in found)
    ]


def _noted(text: str | summary.Finding, *notes: str) -> summary.Finding:
    """Return a result with sentences that qualify it."""
    finding = summary.Finding(text) if isinstance(text, str) else text
    return replace(finding, notes=(*finding.notes, *notes))


def _relations(study: Study) -> tuple[str, ...]:
    return (methods.RELATIONS,) if study.simulated else ()


def printed_tables(study: Study) -> dict[str, Any]:
    """Return every table as printed, by the section that shows it."""
    return _tables(study) | _checks(study)


def _tables(study: Study) -> dict[str, Any]:
    groups, alpha = study.groups, study.alpha
    related = _relations(study)
    coded = (methods.coding(study.config), *related)
    combined = summary.is_combined(study.need("table4"))
    optimism = (methods.optimism(study.config),) if combined else ()
    return {
        "tables": [
            printed.table1(study.need("table1"), groups=groups, alpha=alpha),
            printed.table2(study.need("table2"), groups=groups, alpha=alpha),
            printed.table3(study.need("table3"), groups=groups, alpha=alpha),
            printed.table4(study.need("table4"), alpha=alpha, notes=optimism),
            printed.table5(study.need("table5"), notes=coded),
            printed.table6(study.need("table6"), alpha=alpha, notes=coded),
        ],
        "associations": [
            printed.correlations(study.need("correlations"), alpha=alpha, notes=related),
            printed.asymmetry(study.need("asymmetry"), alpha=alpha),
            printed.lesion_sides(study.need("lesion_sides"), alpha=alpha),
        ],
        "further": further.tables(
            {name: frame for name in further.STEMS if (frame := study.frame(name)) is not None},
            alpha=alpha,
        ),
    }


def _checks(study: Study) -> dict[str, Any]:
    found: dict[str, Any] = {"scorecard": None, "audit": [], "validation": [], "quality": None}
    if (audited := study.frame("audit")) is not None:
        found |= {"audit": audit.tables(audited), "audit_count": audit.count(audited)}
    if (card := study.frame("scorecard")) is not None:
        card = card.assign(
            part=[places.part_of(study.published[name]) for name in card["id"]],
            kind=card["class"].fillna("").astype(str).str.replace("_", " "),
        ).drop(columns="class")
        table, verdicts = checks.scorecard(card)
        found |= {
            "scorecard": table,
            "scorecard_rows": [
                {"verdict": verdict, "part": part, "kind": kind}
                for verdict, part, kind in zip(verdicts, card["part"], card["kind"], strict=True)
            ],
            "shares": [
                *[
                    checks.conclusions(judged)
                    for judged in (study.frame("conclusions"),)
                    if judged is not None
                ],
                checks.share_table(card, by="kind", name="share-class", title="Share by class"),
                checks.share_table(card, by="part", name="share-part", title="Share by part"),
            ],
            "parts": list(dict.fromkeys(card["part"])),
            "kinds": list(dict.fromkeys(card["kind"])),
        }
    if (validation := study.frame("validation")) is not None:
        found["validation"] = list(checks.validation(validation))
    if (qc := study.frame("qc")) is not None:
        found["quality"] = checks.quality(qc)
    return found


def _sections(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """List the page's sections; one without content is left out."""
    present = [
        ("summary", "Summary", True),
        ("participants", "Participants", True),
        ("tables", "Tables", True),
        ("associations", "Correlations and asymmetry", True),
        ("further", "Beyond the paper's analysis", bool(content["further"])),
        ("figures", "Figures", bool(content["figures"])),
        ("scorecard", "Published and reproduced", content["scorecard"] is not None),
        ("audit", "Consistency of the published numbers", bool(content["audit"])),
        ("validation", "Against the simulated truth", bool(content["validation"])),
        ("viewer", "Maps", content["viewer"] is not None),
        ("quality", "Quality", content["quality"] is not None or bool(content["scans"])),
        ("methods", "Methods", True),
        ("provenance", "Provenance", True),
    ]
    return [{"name": name, "title": title} for name, title, shown in present if shown]


def _figures(paths: Sequence[Path], *, axes: str) -> list[dict[str, str]]:
    found = []
    for path in sorted(paths, key=lambda path: path.stem):
        if path.stem not in FIGURES:
            raise StudyError(
                f"{path}: the report shows {', '.join(FIGURES)}; got {path.stem}. "
                "Name the figure after its rule."
            )
        heading, alt = (words.format(axes=axes) for words in FIGURES[path.stem])
        found.append(
            {
                "name": path.stem,
                "title": f"Figure {path.stem.removeprefix('figure')}. {heading}",
                "alt": alt,
                "uri": page.data_uri(path),
                "caption": f"captions/{path.stem}.html.j2",
            }
        )
    return found


def downloads(study: Study) -> dict[str, str]:
    """Return the tables that the page offers, as ``data:`` addresses by name."""
    names = [*TABLES, *further.STEMS, "scorecard", "conclusions", "audit", "validation", "qc"]
    return {name: page.data_uri(study.tables[name]) for name in names if name in study.tables}
