"""Who is in the simulated cohort: susceptibilities and clinical variables per participant."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qsmstudy.errors import StudyError
from qsmstudy.simulate.draws import generator

#: Nuclei in the study's order.
ROIS = ("CN", "GP", "PUT", "RN", "SN", "THA", "DN")
#: Hemispheres in the study's order.
HEMISPHERES = ("L", "R")
#: The fourteen regions, left before right.
REGIONS = tuple((roi, hemisphere) for roi in ROIS for hemisphere in HEMISPHERES)

#: Binary variables of Table 1 and their names in the published values.
FACTORS = {
    "smoking": "smoking",
    "drinking": "drinking",
    "hypertension": "htn",
    "hyperlipidemia": "lipid",
    "diabetes": "dm",
}
#: Scores, their published names and their largest value.
SCORES = {
    "nihss_admission": ("nihss_adm", 42),
    "nihss_discharge": ("nihss_dis", 42),
    "mrs_admission": ("mrs_adm", 5),
    "mrs_discharge": ("mrs_dis", 5),
}


class Published:
    """The published values by id.

    Parameters
    ----------
    content : mapping
        Parsed ``published.yaml``: a list ``values`` of entries with ``id``, ``value`` and ``n``.
    """

    def __init__(self, content: Mapping[str, Any]):
        self._entries = {entry["id"]: entry for entry in content["values"]}

    def get(self, name: str) -> float | None:
        """Return the value of an id, None where the paper prints none."""
        entry = self._entries.get(name)
        return None if entry is None else float(entry["value"])

    def __getitem__(self, name: str) -> float:
        value = self.get(name)
        if value is None:
            raise StudyError(
                f"published values: there is no id {name}, which the simulated cohort needs. "
                "Restore resources/published.yaml."
            )
        return value

    def n(self, name: str) -> int:
        """Return the number of cases behind an id."""
        self[name]
        return int(self._entries[name]["n"])


def participant_ids(groups: Mapping[str, int]) -> dict[str, list[str]]:
    """Return the participants' ids, numbered through the groups in the given order.

    Examples
    --------
    >>> participant_ids({"AIS": 1, "HC": 2})
    {'AIS': ['sub-01'], 'HC': ['sub-02', 'sub-03']}
    """
    width = max(2, len(str(sum(groups.values()))))
    ids: dict[str, list[str]] = {}
    first = 1
    for group, n in groups.items():
        ids[group] = [f"sub-{number:0{width}d}" for number in range(first, first + n)]
        first += n
    return ids


def target_moments(
    published: Published, group: str, region: tuple[str, str], *, shape: float
) -> tuple[float, float]:
    """Return mean and SD [ppm] of a nucleus in a group.

    Notes
    -----
    Where only median and IQR are printed, the values are taken as shifted lognormal,
    ``median + scale (exp(shape z) - 1) / shape``, with the scale that gives the IQR; its mean
    and SD follow. A mean and SD printed elsewhere in the paper (section 3.6) go first.
    """
    roi, hemisphere = region
    name = f"{hemisphere}{roi}.{group}"
    for prefix in ("S3.6", "T3"):
        mean, sd = published.get(f"{prefix}.{name}.mean"), published.get(f"{prefix}.{name}.sd")
        if mean is not None and sd is not None:
            return mean, sd
    median, iqr = published[f"T3.{name}.median"], published[f"T3.{name}.iqr"]
    quartile = 0.6744897501960817  # upper quartile of the standard normal
    scale = iqr * shape / (2 * np.sinh(shape * quartile))
    growth = np.exp(shape**2 / 2)
    return (
        median + scale * (growth - 1) / shape,
        float(scale * growth * np.sqrt(np.expm1(shape**2)) / shape),
    )


def correlation_matrix(
    *, between_nuclei: float, left_right: float, pairs: Mapping[str, float]
) -> NDArray:
    """Return the 14 x 14 correlation of the regions: nuclei equicorrelated, sides alike.

    Parameters
    ----------
    between_nuclei : float
        Correlation of different nuclei.
    left_right : float
        Correlation of the two sides of a nucleus.
    pairs : mapping
        Nucleus to its own left/right correlation.
    """
    matrix = np.full((len(REGIONS), len(REGIONS)), between_nuclei)
    for index, roi in enumerate(ROIS):
        sides = slice(2 * index, 2 * index + 2)
        matrix[sides, sides] = pairs.get(roi, left_right)
    np.fill_diagonal(matrix, 1)
    return matrix


def draw_susceptibilities(
    published: Published,
    group: str,
    ids: Sequence[str],
    *,
    seed: int,
    correlation: Mapping[str, Any],
    skew_shape: float,
) -> NDArray:
    """Draw the true susceptibility of every nucleus of a group.

    Parameters
    ----------
    published : Published
        Means, SDs, medians and IQRs of Table 3.
    group : str
        Group name in the published ids.
    ids : sequence of str
        Participants; each has its own generator.
    seed : int
        The study's seed.
    correlation : mapping
        ``between_nuclei``, ``left_right`` and ``pairs`` (group to nucleus to correlation).
    skew_shape : float
        Shape of the lognormal where the paper found no normal distribution.

    Returns
    -------
    ndarray, shape (len(ids), 14)
        Susceptibility [ppm]. Sample means and SDs equal the published ones; the sample
        correlations equal the targets up to the skew where the group is large enough.
    """
    draws = np.stack([generator(seed, name, "chi").standard_normal(14) for name in ids])
    target = correlation_matrix(
        between_nuclei=correlation["between_nuclei"],
        left_right=correlation["left_right"],
        pairs=correlation["pairs"].get(group, {}),
    )
    mixing = np.linalg.cholesky(target)
    draws -= draws.mean(axis=0)
    if len(ids) > len(REGIONS) + 1:
        whitening = np.linalg.cholesky(np.linalg.inv(np.cov(draws.T)))
        draws = draws @ whitening
    # Susceptibility of iron-rich nuclei stays positive: no draw beyond 2.1 SD.
    draws = np.clip(_standardised(draws @ mixing.T), -2.1, 2.6)
    values = np.empty_like(draws)
    for column, (roi, hemisphere) in enumerate(REGIONS):
        mean, sd = target_moments(published, group, (roi, hemisphere), shape=skew_shape)
        z = draws[:, column]
        if published[f"T3.{hemisphere}{roi}.{group}.form"] == 0:
            z = np.expm1(skew_shape * z) / skew_shape
        values[:, column] = mean + sd * _standardised(z)
    return values


def _standardised(values: NDArray) -> NDArray:
    """Return columns of zero mean and unit sample SD; a single row becomes zero."""
    centred = values - values.mean(axis=0)
    if len(values) < 2:
        return centred
    return centred / centred.std(axis=0, ddof=1)


def integers_with_moments(values: NDArray, *, mean: float, sd: float) -> NDArray:
    """Round values to integers whose sample mean and SD come as near as they can to targets.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Draw that sets the order and the spacing.
    mean, sd : float
        Wanted sample moments.

    Notes
    -----
    The sum is met exactly. Then, one pair at a time, one value goes up by one and another down
    by one, as long as that brings the sum of squares nearer; a fixed number of steps at most.
    """
    n = len(values)
    exact = mean + sd * _standardised(np.asarray(values, dtype=float))
    rounded = np.floor(exact).astype(int)
    missing = round(n * mean) - int(rounded.sum())
    rounded[np.argsort(rounded - exact, kind="stable")[:missing]] += 1
    if n < 3:
        return rounded
    wanted = (n - 1) * sd**2
    for _ in range(200):
        now = np.sum((rounded - rounded.mean()) ** 2)
        # Moving a pair (i up, j down) changes the sum of squares by 2 (a_i - a_j + 1).
        change = 2 * (rounded[:, None] - rounded[None, :] + 1)
        np.fill_diagonal(change, 0)
        gain = np.abs(now - wanted) - np.abs(now + change - wanted)
        up, down = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if gain[up, down] <= 1e-9:
            break
        rounded[up] += 1
        rounded[down] -= 1
    return rounded


def draw_clinical(
    published: Published,
    group: str,
    ids: Sequence[str],
    *,
    chi: NDArray,
    seed: int,
    patients: str,
    smoking_effect: float,
    age_severity_correlation: float,
) -> pd.DataFrame:
    """Draw the clinical variables of a group, with the published counts and moments.

    Parameters
    ----------
    published : Published
        Table 1.
    group : str
        Group name in the published ids.
    ids : sequence of str
        Participants.
    chi : ndarray, shape (len(ids), 14)
        Susceptibility [ppm]; smokers tend to have more in caudate and putamen.
    seed : int
        The study's seed.
    patients : str
        The group that has scores.
    smoking_effect : float
        Weight of the striatum's standardised susceptibility in the choice of smokers, 0 to 1.
    age_severity_correlation : float
        Correlation of age's rank with the latent severity behind the scores.

    Returns
    -------
    DataFrame
        One row per participant, columns of ``participants.tsv``. Counts are exact in a group
        of the published size and proportional otherwise.
    """
    n = len(ids)
    noise = np.stack([generator(seed, name, "clinical").standard_normal(16) for name in ids])
    age = integers_with_moments(
        np.clip(noise[:, 0], -2.2, 2.2),
        mean=published[f"T1.age.{group}.mean"],
        sd=published[f"T1.age.{group}.sd"],
    )
    frame = pd.DataFrame({"participant_id": list(ids), "group": group, "age": age})
    male = _chosen(noise[:, 1], published, f"T1.male.{group}.yes", n)
    frame["sex"] = np.where(male, "M", "F")
    striatum = [
        REGIONS.index(("CN", "R")),
        REGIONS.index(("PUT", "R")),
        REGIONS.index(("PUT", "L")),
    ]
    iron = _standardised(_standardised(chi[:, striatum]).mean(axis=1))
    liking = smoking_effect * iron + np.sqrt(1 - smoking_effect**2) * noise[:, 2] + 0.5 * male
    for column, (name, published_name) in enumerate(FACTORS.items(), start=2):
        # Drinkers are often smokers: the two share part of their draw.
        score = {"smoking": liking, "drinking": 0.6 * liking + 0.8 * noise[:, 3]}.get(
            name, noise[:, column]
        )
        chosen = _chosen(score, published, f"T1.{published_name}.{group}.yes", n)
        frame[name] = np.where(chosen, "yes", "no")
    for name in SCORES:
        frame[name] = pd.array([pd.NA] * n, dtype="Int64")
    if group == patients:
        _add_scores(frame, published, group, noise, age_severity_correlation)
    return frame


def _chosen(score: NDArray, published: Published, name: str, n: int) -> NDArray:
    """Mark the highest scores, as many as the published proportion asks for."""
    count = round(published[name] * n / published.n(name))
    chosen = np.zeros(n, dtype=bool)
    chosen[np.argsort(-score, kind="stable")[:count]] = True
    return chosen


def _add_scores(
    frame: pd.DataFrame,
    published: Published,
    group: str,
    noise: NDArray,
    age_severity_correlation: float,
) -> None:
    """Fill the scores; those with a score at discharge are among those with one at admission."""
    n = len(frame)
    full = published.n(f"T1.age.{group}.mean")
    known = {
        "admission": round(n * published.n("S3.5.age_mrs_adm.r") / full),
        "discharge": round(n * published.n("T1.mrs_dis.median") / full),
    }
    order = np.argsort(noise[:, 8], kind="stable")
    age = _standardised(frame["age"].rank().to_numpy(dtype=float))
    r = age_severity_correlation
    scored = order[: known["admission"]]
    severity = r * age + np.sqrt(1 - r**2) * _independent(noise[:, 9], age, scored)
    latent = {
        "mrs_admission": severity,
        "nihss_admission": 0.75 * severity + 0.66 * noise[:, 10],
        "mrs_discharge": 0.85 * severity + 0.53 * noise[:, 11],
        "nihss_discharge": 0.7 * severity + 0.5 * noise[:, 10] + 0.5 * noise[:, 12],
    }
    for name, (published_name, largest) in SCORES.items():
        rows = np.sort(order[: known[name.split("_")[1]]])
        ranks = np.argsort(np.argsort(latent[name][rows], kind="stable"), kind="stable")
        quantile = (ranks + 0.5) / max(len(rows), 1)
        values = _skewed_quantile(
            quantile,
            median=published[f"T1.{published_name}.median"],
            iqr=published[f"T1.{published_name}.iqr"],
        )
        scores = np.clip(np.rint(values), 0, largest).astype(int)
        frame.loc[frame.index[rows], name] = scores


def _independent(values: NDArray, of: NDArray, rows: NDArray) -> NDArray:
    """Return values that are standardised and uncorrelated with another variable over `rows`."""
    if len(rows) < 3:
        return values
    design = np.stack([np.ones(len(rows)), of[rows]], axis=1)
    intercept, slope = np.linalg.lstsq(design, values[rows], rcond=None)[0]
    rest = values - intercept - slope * of
    return rest / rest[rows].std(ddof=1)


def _skewed_quantile(quantile: NDArray, *, median: float, iqr: float) -> NDArray:
    """Return the quantiles of a right-skewed shifted lognormal by its median and IQR."""
    # Logistic quantiles stand in for normal ones: within .02 between the tails that matter.
    z = np.log(quantile / (1 - quantile)) / 1.702
    shape = 0.8
    scale = iqr * shape / (2 * np.sinh(shape * 0.6744897501960817))
    return median + scale * np.expm1(shape * z) / shape
