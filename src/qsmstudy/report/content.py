"""Everything that the page shows, gathered from the study's files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from qsmstudy.errors import StudyError
from qsmstudy.figures.catalogue import FIGURES
from qsmstudy.report import (
    audit,
    cell_links,
    cells,
    checks,
    extended_tables,
    flow,
    graph,
    headline,
    methods,
    options,
    page,
    printed,
    references,
    reporting,
    scans,
    summary,
)
from qsmstudy.report import numbers as nb
from qsmstudy.report.reconstruction import reconstruction
from qsmstudy.report.results import StudyResults
from qsmstudy.stats import association, catalogue

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


def page_content(results: StudyResults, *, bibliography: str) -> dict[str, Any]:
    """Return what the templates show, by name.

    Parameters
    ----------
    results : StudyResults
        The study's files and settings.
    bibliography : str
        Content of the ``.bib`` file.
    """
    citations = references.Citations(references.parse(bibliography))
    values = results.need("roi_values")
    text = methods.sections(
        results.config,
        groups=results.study.by_role,
        alpha=results.study.alpha,
        simulated=results.simulated,
        imaged=results.imaged,
        roi_values=values[~values["participant_id"].isin(list(results.excluded))],
        excluded=len(results.excluded),
        qc=results.frame("qc"),
    )
    parts = [
        {"title": part.title, "sentences": citations.paragraph(part.sentences)} for part in text
    ]
    flagged = flow.find_flags(results.frame("qc"), values)
    flagged_and_used = {
        person: flags for person, flags in flagged.items() if person not in results.excluded
    }
    content = {
        "title": results.title,
        "simulated": results.simulated,
        "calibration": methods.CALIBRATION if results.simulated else (),
        "groups": results.study.by_role,
        "provenance": dict(results.provenance),
        "versions": page.versions(),
        "configuration": page.as_yaml(results.config),
        "question": question(results.study.by_role, results.config),
        "flow": flow.steps(
            results.need("participants"),
            values,
            results.frame("qc"),
            groups=results.study.by_role,
            flagged=flagged,
            scores=results.config["covariates"]["scores"],
            excluded=results.excluded,
            left_out=flow.unusable(results.frame("scans")),
        ),
        "flagged": flagged_and_used,
        "flag_count": flow.count_flagged(flagged_and_used),
        "excluded": results.excluded,
        "decisions_file": results.config["decisions"],
        "downloads": downloads(results),
        "methods": parts,
        "references": citations.cited,
        "bibtex": page.text_uri(citations.bibtex(bibliography), "application/x-bibtex"),
        "scans": _scans(results, flagged),
        "facts": facts(results),
        "viewer": results.viewer,
        "reporting": _reporting(results),
        "graph": graph.draw_rule_graph(results.graph),
        "run_times": checks.run_time_rows(results.run_times, results.graph),
    }
    content |= _page_tables(results)
    content |= _links(content, results)
    content["findings"] = _findings(results, content["facts"], flagged_and_used)
    content["headline"] = _headline(results)
    content["figures"] = _figures(results.figures, axes=content["facts"]["axes"])
    content["sections"] = _sections(content)
    return content


def facts(results: StudyResults) -> dict[str, str | summary.Finding]:
    """Return the result sentences that the summary and the captions share."""
    alpha, table4 = results.study.alpha, results.need("table4")
    optimism = methods.optimism(results.config)
    return {
        "cohort": summary.cohort(results.need("table1"), groups=results.study.by_role),
        "differences": summary.differences_sentence(
            results.need("table3"), groups=results.study.by_role, alpha=alpha
        ),
        "agreement": summary.agreement(results.need("table2"), alpha=alpha),
        "discrimination": summary.discrimination(table4, alpha=alpha, optimism=optimism),
        "regression": summary.regression(
            results.need("table5"),
            results.need("table6"),
            groups=results.study.by_role,
            alpha=alpha,
            entry_p=options.setting(results.config, "table5", "entry_p"),
        ),
        "correlation": summary.correlation(results.need("correlations"), alpha=alpha),
        "age": summary.scatter(_correlation(results), alpha=alpha),
        "axes": summary.axes(*_axes(results)),
        "asymmetry": summary.asymmetry(results.need("asymmetry"), alpha=alpha),
        "sizes": summary.group_sizes(results.need("table3"), groups=results.study.by_role),
        "curves": summary.curves(table4, alpha=alpha, optimism=optimism),
        "power": summary.power(results.need("power"), alpha=alpha),
        "positive": printed.positive_state(table4),
        "nuclei": cells.named_nuclei(results.study.nuclei),
        "correction": methods.CORRECTION_NAMES[options.setting(results.config, "table3", "fdr")],
    }


def _axes(results: StudyResults) -> tuple[str, str | None]:
    return results.config["figure4"]["x"], results.config["figure4"]["y"]


def _correlation(results: StudyResults) -> dict[str, Any] | None:
    """Return the correlation that Figure 4 shows."""
    x, y = _axes(results)
    ages = results.frame("age")
    return association.find_correlation(
        results.need("correlations"),
        pd.DataFrame(columns=["group"]) if ages is None else ages,
        **{"x": x, "y": y, "group": results.study.by_role["patients"]},
    )


def _scans(results: StudyResults, flagged: Mapping[str, str]) -> list[scans.ScanView]:
    people = results.need("participants")
    return scans.scan_views(
        results.mosaics,
        qc=results.frame("qc"),
        roi_values=results.need("roi_values"),
        group_of=dict(zip(people["participant_id"], people["group"], strict=True)),
        flagged=flagged,
        excluded=results.excluded,
        outlier_z=options.setting(results.config, "summarize_quality", "outlier_z"),
    )


def _reporting(results: StudyResults) -> cells.PrintedTable | None:
    """Print the checklist of the consensus; nothing where the study has no scans."""
    if not results.imaged:
        return None
    excluded = len(results.excluded)
    return reporting.checklist(
        results.acquisition,
        versions=page.versions(),
        pipeline=[
            references.without_citations(text)
            for text in reconstruction(results.config, qc=results.frame("qc"))
        ],
        qc=results.frame("qc"),
        criteria=(
            f"{excluded} of {len(results.need('participants'))} participants excluded after "
            "looking at the scans; reasons under Participants"
            if excluded
            else "nobody was excluded by a decision"
        ),
    )


def _headline(results: StudyResults) -> dict[str, Any]:
    card = results.frame("scorecard")
    return {
        "origin": results.origin,
        "sentences": headline.sentences(
            results.need("table3"),
            results.need("table4"),
            groups=results.study.by_role,
            alpha=results.study.alpha,
            last=summary.agreement(results.need("table2"), alpha=results.study.alpha)
            if card is None
            else checks.reproduction(card),
        ),
    }


def _links(content: Mapping[str, Any], results: StudyResults) -> dict[str, Any]:
    """Link each published number with the table cell that reproduces it."""
    if content["scorecard"] is None:
        return {"links": [], "targets": frozenset()}
    tables = {table.name: table for table in (*content["tables"], *content["associations"])}
    cells = [results.published[row[0].text].cell for row in content["scorecard"].rows]
    links = [None if cell is None else cell_links.find_printed_cell(cell, tables) for cell in cells]
    return {"links": links, "targets": frozenset(filter(None, links)) - set(tables)}


def _findings(
    results: StudyResults, known: Mapping[str, str | summary.Finding], flagged: Mapping[str, str]
) -> list[dict[str, Any]]:
    related = _relations(results)
    fitted = results.need("table5")["p"].notna().any()
    coding = (methods.coding(results.config),) if fitted else ()
    findings: list[tuple[str, str | summary.Finding]] = [
        ("Cohort", known["cohort"]),
        ("Group difference", known["differences"]),
        ("Discrimination", known["discrimination"]),
        ("Clinical factors", _noted(known["regression"], *coding, *related)),
        ("Scores", _noted(known["correlation"], *related)),
        ("Left and right", known["asymmetry"]),
        ("Raters", known["agreement"]),
    ]
    scorecard, validation = results.frame("scorecard"), results.frame("validation")
    if scorecard is not None:
        worth = (methods.BY_CONSTRUCTION,) if results.simulated else ()
        judged = results.frame("conclusions")
        findings.append(("Reproduction", _noted(checks.reproduction(scorecard, judged), *worth)))
    if validation is not None:
        findings.append(("Accuracy", checks.accuracy(validation)))
    if results.frame("qc") is not None:
        findings.append(("Quality", flow.count_flagged(flagged)))
    if left_out := flow.unusable(results.frame("scans")):
        findings.insert(0, ("Left out", flow.count_left_out(left_out)))
    return [
        {"label": label, "lead": text.lead, "entries": text.items, "notes": text.notes}
        for label, text in ((label, _noted(text)) for label, text in findings)
    ]


def _noted(text: str | summary.Finding, *notes: str) -> summary.Finding:
    """Return a result with sentences that qualify it."""
    finding = summary.Finding(text) if isinstance(text, str) else text
    return replace(finding, notes=(*finding.notes, *notes))


def _relations(results: StudyResults) -> tuple[str, ...]:
    return (methods.RELATIONS,) if results.simulated else ()


#: Printers of the statistics, by the table's name.
ALL_PRINTERS = printed.PAPER_PRINTERS | extended_tables.EXTENDED_PRINTERS
#: Printers of the checks, by the section; each makes all tables of its section.
CHECK_PRINTERS: dict[str, Callable[[StudyResults], list[cells.PrintedTable]]] = {
    "scorecard": lambda results: _scorecard(results),
    "audit": lambda results: audit.audit_tables(results.need("audit")),
    "validation": lambda results: list(checks.validation(results.need("validation"))),
    "quality": lambda results: [checks.quality(results.need("qc"))],
}


def printed_tables(results: StudyResults) -> dict[str, list[cells.PrintedTable]]:
    """Return every table as printed, by the section that shows it."""
    notes = _notes(results)
    sections: dict[str, list[cells.PrintedTable]] = {name: [] for name in catalogue.REPORT_SECTIONS}
    for table in catalogue.TABLES.values():
        if table.name in ALL_PRINTERS and (not table.optional or table.name in results.tables):
            frame, about = results.need(table.name), notes.get(table.name, ())
            shown = ALL_PRINTERS[table.name](frame, study=results.study, notes=about)
            sections[table.section].append(shown)
        elif table.section in CHECK_PRINTERS and table.name in results.tables:
            sections[table.section] = sections[table.section] or CHECK_PRINTERS[table.section](
                results
            )
    return sections


def _notes(results: StudyResults) -> dict[str, tuple[str, ...]]:
    """Return what qualifies the numbers of a table beside its conventions, by table."""
    related = _relations(results)
    coded = (methods.coding(results.config), *related)
    combined = summary.is_combined(results.need("table4"))
    return {
        "table4": (methods.optimism(results.config),) if combined else (),
        "table5": coded,
        "table6": coded,
        "correlations": related,
    }


def _page_tables(results: StudyResults) -> dict[str, Any]:
    """Return the printed tables, and what stands around them, by the templates' names."""
    sections = printed_tables(results)
    *shares, scorecard = sections["scorecard"] or [None]
    content: dict[str, Any] = sections | {
        "further": [
            {"explanation": catalogue.TABLES[table.name].explanation, "table": table}
            for table in sections["further"]
        ],
        "scorecard": scorecard,
        "shares": shares,
        "quality": next(iter(sections["quality"]), None),
    }
    if scorecard is not None:
        content |= _scorecard_filter(_published_rows(results))
    if sections["audit"]:
        content["audit_count"] = audit.count_verdicts(results.need("audit"))
    return content


def _published_rows(results: StudyResults) -> pd.DataFrame:
    """Return the scorecard with the part of the paper and the class of every number in words."""
    card = results.need("scorecard")
    return card.assign(
        part=[cell_links.paper_part_of(results.published[name]) for name in card["id"]],
        kind=card["class"].fillna("").astype(str).str.replace("_", " "),
    ).drop(columns="class")


def _scorecard(results: StudyResults) -> list[cells.PrintedTable]:
    """Print what is reproduced: the conclusions, the shares, and last every number."""
    card = _published_rows(results)
    judged = results.frame("conclusions")
    return [
        *([] if judged is None else [checks.conclusions(judged)]),
        checks.share_table(card, by="kind", name="share-class", title="Share by class"),
        checks.share_table(card, by="part", name="share-part", title="Share by part"),
        checks.scorecard(card),
    ]


def _scorecard_filter(card: pd.DataFrame) -> dict[str, Any]:
    """Return what the scorecard's rows are filtered by."""
    rows = zip(checks.verdicts(card), card["part"], card["kind"], strict=True)
    return {
        "scorecard_rows": [
            {"verdict": verdict, "part": part, "kind": kind} for verdict, part, kind in rows
        ],
        "parts": list(dict.fromkeys(card["part"])),
        "kinds": list(dict.fromkeys(card["kind"])),
    }


def _sections(content: Mapping[str, Any]) -> list[dict[str, str]]:
    """List the page's sections; one without content is left out."""
    titles = {
        **{"summary": "Summary", "participants": "Participants", "figures": "Figures"},
        **{"viewer": "Maps", "methods": "Methods", "provenance": "Provenance"},
        **{name: section.title for name, section in catalogue.REPORT_SECTIONS.items()},
    }
    present = [
        ("summary", True),
        ("participants", True),
        ("tables", True),
        ("associations", True),
        ("further", bool(content["further"])),
        ("figures", bool(content["figures"])),
        ("scorecard", content["scorecard"] is not None),
        ("audit", bool(content["audit"])),
        ("validation", bool(content["validation"])),
        ("viewer", content["viewer"] is not None),
        ("quality", content["quality"] is not None or bool(content["scans"])),
        ("methods", True),
        ("provenance", True),
    ]
    return [{"name": name, "title": titles[name]} for name, shown in present if shown]


def _figures(paths: Sequence[Path], *, axes: str) -> list[dict[str, str]]:
    figures = []
    for path in sorted(paths, key=lambda path: path.stem):
        if path.stem not in FIGURES:
            raise StudyError(
                f"{path}: the report shows {', '.join(FIGURES)}; got {path.stem}. "
                "Name the figure after its rule."
            )
        figure = FIGURES[path.stem]
        figures.append(
            {
                "name": path.stem,
                "title": f"{figure.label}. {figure.title.format(axes=axes)}",
                "alt": figure.alt.format(axes=axes),
                "uri": page.data_uri(path),
                "caption": f"captions/{path.stem}.html.j2",
            }
        )
    return figures


def downloads(results: StudyResults) -> dict[str, str]:
    """Return the tables that the page offers, as ``data:`` addresses by name."""
    offered = [table.name for table in catalogue.TABLES.values() if table.section]
    return {name: page.data_uri(results.tables[name]) for name in offered if name in results.tables}
