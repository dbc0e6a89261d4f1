"""The analysis dataset: participants and one susceptibility value per region.

Tables are checked here, once; the other modules of the package trust what they get.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.regions import HEMISPHERES, ROIS

log = logging.getLogger("qsmstudy")

#: ``L CN``, ``R CN``, ... in the row order of every table.
REGIONS = tuple(f"{hemisphere} {roi}" for roi in ROIS for hemisphere in HEMISPHERES)

#: Clinical factors answered yes or no.
BINARY_FACTORS = ("smoking", "drinking", "hypertension", "hyperlipidemia", "diabetes")
#: Clinical scores, known in patients only.
SCORES = ("nihss_admission", "nihss_discharge", "mrs_admission", "mrs_discharge")
#: Hemisphere of an acute lesion, in the optional column ``lesion_side``.
LESION_SIDES = ("L", "R", "both", "none")
#: Everything that a regression may use as a predictor.
FACTORS = ("age", *BINARY_FACTORS, *SCORES)
#: Smallest and largest whole number of a score, by the first word of its name.
SCORE_RANGES = {"nihss": (0, 42), "mrs": (0, 6)}
#: What the default study knows of its participants, beside age and sex.
COVARIATES: Mapping[str, Any] = {
    "factors": BINARY_FACTORS,
    "scores": SCORES,
    "score_ranges": SCORE_RANGES,
}

_OLDEST = 120
_AGE_RULE = f"a number of years above 0, at most {_OLDEST}"
_MEANS_COLUMNS = ("participant_id", "rater", "roi", "hemisphere", "chi_ppm")


def check_option(name: str, value: object, allowed: Iterable[str]) -> str:
    """Return `value` if it is one of the `allowed` names of an option.

    Raises
    ------
    StudyError
        If it is not; the message names the closest allowed value.
    """
    names = list(allowed)
    if isinstance(value, str) and value in names:
        return value
    close = get_close_matches(str(value), names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise StudyError(f"{name}: must be one of {', '.join(names)}; got {value!r}.{hint}")


def group_names(groups: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of all groups of a study: the patients, then the others.

    Parameters
    ----------
    groups : mapping
        ``patients`` (those whose scores and factors are analysed) and, where the study has them,
        ``controls`` and further groups: names or lists of names; None is no group.

    Examples
    --------
    >>> group_names({"patients": "PD", "controls": "HC", "further": ["MSA"]})
    ('PD', 'HC', 'MSA')
    """
    names: list[str] = []
    for value in groups.values():
        names += [value] if isinstance(value, str) else list(value or ())
    if not isinstance(groups.get("patients"), str) or len(set(names)) < len(names):
        raise StudyError(
            "groups: must name different groups, {patients: <name>, controls: <name>}, further "
            f"ones as a list under further; got {dict(groups)}. Correct `groups` in the "
            "configuration."
        )
    return tuple(names)


def check_groups(groups: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of the patients' and the controls' group, which a comparison needs."""
    names = group_names(groups)
    if not isinstance(groups.get("controls"), str):
        raise StudyError(
            "groups: must name two different groups, {patients: <name>, controls: <name>}; "
            f"got {', '.join(names)}. Correct `groups` in the configuration."
        )
    return groups["patients"], groups["controls"]


def has_controls(groups: Mapping[str, Any]) -> bool:
    """Tell whether a study has controls to compare its patients with."""
    return bool(group_names(groups)) and isinstance(groups.get("controls"), str)


def factors_of(covariates: Mapping[str, Any]) -> tuple[str, ...]:
    """Return everything that a regression may use as a predictor."""
    return ("age", *covariates["factors"], *covariates["scores"])


def regions_of(rois: Sequence[str]) -> list[str]:
    """Return the regions of nuclei, both sides of each.

    Examples
    --------
    >>> regions_of(["CN", "GP"])
    ['L CN', 'R CN', 'L GP', 'R GP']
    """
    return [f"{hemisphere} {roi}" for roi in rois for hemisphere in HEMISPHERES]


def nuclei_of(chi: pd.DataFrame) -> list[str]:
    """Return the nuclei of a table with a column per region, in its order."""
    return list(dict.fromkeys(str(region).split()[1] for region in chi.columns))


def region_parts(region: str) -> dict[str, str]:
    """Split ``L CN`` into its columns.

    Examples
    --------
    >>> region_parts("L CN")
    {'roi': 'CN', 'hemisphere': 'L'}
    """
    hemisphere, roi = region.split()
    return {"roi": roi, "hemisphere": hemisphere}


def tabulate(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    """Make a table of `rows` with exactly these columns; an absent or empty cell is missing."""
    table = pd.DataFrame(list(rows), columns=list(columns))
    if "note" in table:
        table["note"] = table["note"].replace("", None)
    return table


def read_participants(
    path: Path, *, groups: Mapping[str, Any], covariates: Mapping[str, Any] = COVARIATES
) -> pd.DataFrame:
    """Read and check a BIDS participants table.

    Parameters
    ----------
    path : Path
        ``participants.tsv``; further columns are kept unchecked.
    groups : mapping
        See `group_names`.
    covariates : mapping
        Columns beside age and sex: ``factors`` (yes or no), ``scores`` (numbers) and
        ``score_ranges``, the smallest and largest whole number of a score by the first word of
        its name; a score without a range is any number.

    Returns
    -------
    DataFrame
        Indexed by ``participant_id`` in the file's order; age and scores are floats with
        NaN where missing, the factors ``yes``, ``no`` or missing.

    Raises
    ------
    StudyError
        If a value is outside the closed vocabulary, a participant stands twice, or a
        group has nobody; the message names file, participant, column and value.
    """
    names = group_names(groups)
    scores = list(covariates["scores"])
    columns = ["participant_id", "group", "age", "sex", *covariates["factors"], *scores]
    frame = bids.read_tsv(path, columns=columns)
    _check_identifiers(frame["participant_id"], path=path)
    frame = frame.set_index("participant_id")
    _check_words(frame, "group", names, path=path, required=True)
    _check_words(frame, "sex", ("M", "F"), path=path)
    for column in covariates["factors"]:
        _check_words(frame, column, ("yes", "no"), path=path)
    if "lesion_side" in frame:
        _check_words(frame, "lesion_side", LESION_SIDES, path=path)
    frame["age"] = _numbers(frame, "age", _plausible_age, _AGE_RULE, path=path)
    for column in scores:
        holds, rule = _score_rule(column, covariates["score_ranges"])
        frame[column] = _numbers(frame, column, holds, rule, path=path)
    for name in names:
        if not (frame["group"] == name).any():
            compared = f"; the tables compare {' with '.join(names)}" if len(names) > 1 else ""
            raise StudyError(
                f"{path}: group {name} has no participant{compared}. Add its participants, or "
                "name the groups under `groups` (controls: null for a study of one)."
            )
    sizes = ", ".join(f"{(frame['group'] == name).sum()} {name}" for name in names)
    log.info("%s: %s", path, sizes)
    return frame


def _score_rule(
    score: str, ranges: Mapping[str, Sequence[float]]
) -> tuple[Callable[[pd.Series], pd.Series], str]:
    """Return what holds for a score's values, as a function and in words."""
    limits = ranges.get(score) or ranges.get(score.split("_")[0])
    if limits is None:
        return np.isfinite, "a number"
    low, high = limits
    between = partial(_whole_number_between, low=low, high=high)
    return between, f"a whole number from {low} to {high}"


def _check_identifiers(identifiers: pd.Series, *, path: Path) -> None:
    missing = identifiers.isna() | (identifiers.fillna("").str.strip() == "")
    if missing.any():
        line = int(np.flatnonzero(missing)[0]) + 2
        raise StudyError(
            f"{path}: line {line}: participant_id must be given; got nothing. "
            "Write sub-<label>, or delete the line."
        )
    malformed = ~identifiers.str.fullmatch(r"sub-[A-Za-z0-9]+")
    if malformed.any():
        line = int(np.flatnonzero(malformed)[0]) + 2
        raise StudyError(
            f"{path}: line {line}: participant_id must be sub-<label> of letters and digits; got "
            f"{identifiers[malformed].iloc[0]!r}. Write it as in the scans and measurements."
        )
    twice = identifiers[identifiers.duplicated()].unique()
    if len(twice):
        lines = ", ".join(str(n + 2) for n in np.flatnonzero(identifiers == twice[0]))
        raise StudyError(
            f"{path}: {', '.join(twice)}: participant_id must stand once; it stands "
            f"{(identifiers == twice[0]).sum()} times (lines {lines}). Keep one row per "
            "participant."
        )


def _plausible_age(years: pd.Series) -> pd.Series:
    return (years > 0) & (years <= _OLDEST)


def _whole_number_between(numbers: pd.Series, low: float, high: float) -> pd.Series:
    return (numbers >= low) & (numbers <= high) & (numbers == np.floor(numbers))


def _refuse(frame: pd.DataFrame, bad: pd.Series, column: str, *, rule: str, path: Path) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        value = frame[column].iloc[[row]].tolist()[0]
        shown = "n/a" if pd.isna(value) else repr(value)
        more = f" ({int(bad.sum())} rows like this)" if bad.sum() > 1 else ""
        raise StudyError(
            f"{path}: {frame.index[row]} (line {row + 2}): {column} must be {rule}; "
            f"got {shown}{more}. Correct the cell; n/a stands for missing."
        )


def _check_words(
    frame: pd.DataFrame,
    column: str,
    words: tuple[str, ...],
    *,
    path: Path,
    required: bool = False,
) -> None:
    known = frame[column].isin(words)
    bad = ~known if required else ~known & frame[column].notna()
    _refuse(frame, bad, column, rule=" or ".join(words), path=path)


def _numbers(
    frame: pd.DataFrame,
    column: str,
    holds: Callable[[pd.Series], pd.Series],
    rule: str,
    *,
    path: Path,
) -> pd.Series:
    numbers = pd.to_numeric(frame[column], errors="coerce").astype(float)
    allowed = holds(numbers) & np.isfinite(numbers)
    _refuse(frame, ~allowed & frame[column].notna(), column, rule=rule, path=path)
    return numbers


def read_roi_means(
    path: Path, *, participants: pd.DataFrame, rois: Sequence[str] = ROIS
) -> pd.DataFrame:
    """Read and check the table of one mean per participant, rater and region.

    Parameters
    ----------
    path : Path
        Table with ``participant_id, rater, roi, hemisphere, chi_ppm``.
    participants : DataFrame
        As `read_participants` returns it.
    rois : sequence of str
        The study's nuclei.

    Returns
    -------
    DataFrame
        The rows with a column ``region`` (``L CN``); ``chi_ppm`` is a float [ppm], and so is
        ``volume_mm3`` [mm^3] where the table has it.

    Raises
    ------
    StudyError
        If a region is unknown, a value is no number, a row stands twice, a participant has
        two sessions, or the two tables do not hold the same participants.
    """
    frame = bids.read_tsv(path, columns=_MEANS_COLUMNS).set_index("participant_id")
    for column, words in (("roi", tuple(rois)), ("hemisphere", HEMISPHERES)):
        _check_words(frame, column, words, path=path, required=True)
    frame["chi_ppm"] = _numbers(frame, "chi_ppm", np.isfinite, "a finite number [ppm]", path=path)
    if "volume_mm3" in frame:
        frame["volume_mm3"] = _numbers(frame, "volume_mm3", np.isfinite, "a volume", path=path)
    _check_same_participants(frame.index, participants.index, path=path)
    frame["region"] = frame["hemisphere"] + " " + frame["roi"]
    frame = frame.reset_index()
    if "session" in frame:
        sessions = frame.fillna({"session": "n/a"}).groupby("participant_id")["session"]
        if (several := sessions.nunique() > 1).any():
            first = several.idxmax()
            raise StudyError(
                f"{path}: {first}: session must be one per participant; got "
                f"{', '.join(sorted(sessions.get_group(first).unique()))}. "
                "Keep the session that the study is about."
            )
    keys = ["participant_id", "rater", "region"]
    if (twice := frame.duplicated(keys)).any():
        person, rater, region = frame.loc[twice, keys].iloc[0]
        raise StudyError(
            f"{path}: {person}: rater {rater}, {region} must stand once; it stands more than "
            "once. Keep one row per participant, rater and region."
        )
    return frame


def _check_same_participants(measured: pd.Index, listed: pd.Index, *, path: Path) -> None:
    unlisted = sorted(set(measured) - set(listed))
    unmeasured = [name for name in listed if name not in set(measured)]
    if unlisted:
        raise StudyError(
            f"{path}: {', '.join(unlisted)}: every participant must be in the participants "
            "table (column participant_id); these are not. Add their rows there, or leave their "
            "measurements out of the ROI values."
        )
    if unmeasured:
        raise StudyError(
            f"{path}: {', '.join(unmeasured)}: every participant of the participants table "
            "must have ROI values (column participant_id); these have none. Measure them, "
            "exclude them (config key decisions), or delete their rows there."
        )


def by_region(
    means: pd.DataFrame,
    *,
    participants: pd.DataFrame,
    rater: str,
    rois: Sequence[str] = ROIS,
    value: str = "chi_ppm",
) -> pd.DataFrame:
    """Pivot one rater's means to a column per region.

    Parameters
    ----------
    means : DataFrame
        As `read_roi_means` returns it.
    participants : DataFrame
        Its index gives the rows and their order.
    rater : str
        A rater, or ``mean`` for the mean of the raters.
    rois : sequence of str
        The study's nuclei, in the order of the columns.
    value : {'chi_ppm', 'volume_mm3'}
        What is pivoted.

    Returns
    -------
    DataFrame, shape (participants, regions)
        Susceptibility [ppm] or volume [mm^3]; NaN where a region was not measured, which is
        logged.
    """
    raters = sorted(means["rater"].dropna().unique())
    check_option("rater", rater, raters)
    own = means[means["rater"] == rater]
    wide = own.pivot(index="participant_id", columns="region", values=value)
    wide = wide.reindex(index=participants.index, columns=regions_of(rois))
    for region in wide:
        if missing := list(wide.index[wide[region].isna()]):
            log.warning("rater %s, %s: no value for %s", rater, region, ", ".join(missing))
    return wide


def read_chi(
    path: Path, *, participants: pd.DataFrame, rater: str, rois: Sequence[str] = ROIS
) -> pd.DataFrame:
    """Read `path` and return one rater's susceptibility [ppm] by region; see `by_region`."""
    means = read_roi_means(path, participants=participants, rois=rois)
    return by_region(means, participants=participants, rater=rater, rois=rois)
