"""Who is analysed, and with which values.

Tables are checked here, once; whoever gets a cohort trusts it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError
from qsmstudy.options import check_word
from qsmstudy.study.study import HEMISPHERES, Study

log = logging.getLogger("qsmstudy")

#: Hemisphere of an acute lesion, in the optional column ``lesion_side``.
_LESION_SIDES = ("L", "R", "both", "none")

_OLDEST = 120
_AGE_RULE = f"a number of years above 0, at most {_OLDEST}"
_MEANS_COLUMNS = ("participant_id", "rater", "roi", "hemisphere", "chi_ppm")


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """The participants of a study and what was measured in them.

    Attributes
    ----------
    study : Study
        What the configuration declares.
    participants : DataFrame
        Indexed by ``participant_id``, as `read_participants` returns it.
    means : DataFrame, optional
        A row per participant, rater and region, as `read_roi_means` returns it.
    values : DataFrame, optional, shape (participants, regions)
        Susceptibility [ppm] in place of that of `means`, such as permuted values.
    """

    study: Study
    participants: pd.DataFrame
    means: pd.DataFrame | None = None
    values: pd.DataFrame | None = None

    @cached_property
    def chi(self) -> pd.DataFrame:
        """Susceptibility [ppm] by the study's rater, shape (participants, regions)."""
        return self.by_region("chi_ppm", self.study.rater) if self.values is None else self.values

    @cached_property
    def volumes(self) -> pd.DataFrame | None:
        """Volume of every region [mm^3], shape as `chi`; None where it was not measured."""
        if self.means is None or "volume_mm3" not in self.means:
            return None
        if self.means["volume_mm3"].isna().all():
            return None
        return self.by_region("volume_mm3", self.study.rater)

    @property
    def group(self) -> pd.Series:
        """The group of every participant."""
        return self.participants["group"]

    def members(self, group: str) -> pd.DataFrame:
        """Return the participants of a group."""
        return self.participants[self.group == group]

    def chi_by_group(self, region: str) -> dict[str, NDArray]:
        """Return a region's susceptibility [ppm] in every group, without missing values."""
        values = {name: self.chi.loc[self.group == name, region] for name in self.study.group_names}
        return {name: own.dropna().to_numpy(dtype=float) for name, own in values.items()}

    def by_region(self, value: str, rater: str) -> pd.DataFrame:
        """Return what one rater measured, a column per region of the study.

        Parameters
        ----------
        value : {'chi_ppm', 'volume_mm3'}
            Susceptibility [ppm] or volume [mm^3].
        rater : str
            A rater, or ``mean`` for the mean of the raters.

        Returns
        -------
        DataFrame, shape (participants, regions)
            NaN where a region was not measured, which is logged.

        Raises
        ------
        StudyError
            If the table has no values of the rater.
        """
        if self.means is None:
            raise StudyError("roi_means: this needs measurements. Give the table of the means.")
        check_word("rater", rater, sorted(self.means["rater"].dropna().unique()))
        rater_means = self.means[self.means["rater"] == rater]
        wide = rater_means.pivot(index="participant_id", columns="region", values=value)
        wide = wide.reindex(index=self.participants.index, columns=self.study.regions)
        for region in wide:
            if missing := list(wide.index[wide[region].isna()]):
                log.warning("rater %s, %s: no value for %s", rater, region, ", ".join(missing))
        return wide


def read_cohort(participants: Path, roi_means: Path | None = None, *, study: Study) -> Cohort:
    """Read and check the tables of a study.

    Parameters
    ----------
    participants : Path
        ``participants.tsv``, see `read_participants`.
    roi_means : Path, optional
        Means of every region, see `read_roi_means`.
    study : Study
        Which groups, covariates and nuclei the tables hold.

    Raises
    ------
    StudyError
        If a table holds what the study does not declare.
    """
    people = read_participants(participants, study=study)
    if roi_means is None:
        return Cohort(study=study, participants=people)
    means = read_roi_means(roi_means, participants=people, nuclei=study.nuclei)
    return Cohort(study=study, participants=people, means=means)


def read_participants(path: Path, *, study: Study) -> pd.DataFrame:
    """Read and check a BIDS participants table.

    Parameters
    ----------
    path : Path
        ``participants.tsv``; further columns are kept unchecked.
    study : Study
        Its groups, factors and scores; a score without a range is any number.

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
    names = study.group_names
    columns = ["participant_id", "group", "age", "sex", *study.factors, *study.scores]
    frame = bids.read_tsv(path, columns=columns)
    _check_identifiers(frame["participant_id"], path=path)
    frame = frame.set_index("participant_id")
    _check_words(frame, "group", names, path=path, required=True)
    _check_words(frame, "sex", ("M", "F"), path=path)
    for column in study.factors:
        _check_words(frame, column, ("yes", "no"), path=path)
    if "lesion_side" in frame:
        _check_words(frame, "lesion_side", _LESION_SIDES, path=path)
    frame["age"] = _numbers(frame, "age", _plausible_age, _AGE_RULE, path=path)
    for column in study.scores:
        holds, rule = _score_rule(column, study.covariates["score_ranges"])
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
    allowed = frame[column].isin(words)
    bad = ~allowed if required else ~allowed & frame[column].notna()
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
    path: Path, *, participants: pd.DataFrame, nuclei: Sequence[str]
) -> pd.DataFrame:
    """Read and check the table of one mean per participant, rater and region.

    Parameters
    ----------
    path : Path
        Table with ``participant_id, rater, roi, hemisphere, chi_ppm``.
    participants : DataFrame
        As `read_participants` returns it.
    nuclei : sequence of str
        Those of the study.

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
    for column, words in (("roi", tuple(nuclei)), ("hemisphere", HEMISPHERES)):
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
