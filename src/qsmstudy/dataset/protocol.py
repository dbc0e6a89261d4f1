"""When and in which field the echoes of a scan were taken, from its sidecars or the settings."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qsmstudy.dataset import bids
from qsmstudy.errors import StudyError

#: Echo times above this [s] are taken for milliseconds.
LONGEST_ECHO_TIME = 1.0
#: Magnets of people and of small animals [T]; beyond is a slip of the unit.
FIELD_STRENGTHS = (0.01, 30.0)
#: Two statements of a main field agree within this part of it: 3 T are 2.89 T on some magnets.
SAME_FIELD = 0.05
#: Two statements of one echo time agree within this [s]; sidecars round to microseconds.
SAME_TIME = 2e-5


class Protocol(NamedTuple):
    """Times and field of a scan.

    Attributes
    ----------
    echo_times : list of float
        Echo times [s], increasing.
    field_strength : float
        Main field [T].
    """

    echo_times: list[float]
    field_strength: float


def read_protocol(
    magnitude: Sequence[Path],
    phase: Sequence[Path],
    *,
    n_echoes: int,
    echo_times: Sequence[float] | None,
    field_strength: float | None,
) -> Protocol:
    """Gather echo times and field strength of a scan.

    Parameters
    ----------
    magnitude, phase : sequence of Path
        One file per echo, or one four-dimensional file. A sidecar of either part will do.
    n_echoes : int
        Number of echoes in the images.
    echo_times : sequence of float or None
        Echo times [s] for sidecars that lack them.
    field_strength : float or None
        Main field [T] for sidecars that lack it.

    Returns
    -------
    Protocol
        Checked: times increase, both in plausible units.

    Raises
    ------
    StudyError
        Naming every field that is missing and where to supply it, or two statements that differ.
    """
    said = [
        _echo_times([(one, index), (other, index)], n_echoes)
        for index, (one, other) in enumerate(zip(_each(phase, n_echoes), _each(magnitude, n_echoes),
                                                 strict=True))
    ]  # fmt: skip
    strength = _field_strength([*phase, *magnitude])
    lacking = []
    if echo_times is None and None in said:
        without = dict.fromkeys(
            path.name for path, t in zip(_each(phase, n_echoes), said, strict=True) if t is None
        )
        lacking.append(f"EchoTime is in none of the JSON sidecars of {', '.join(without)}")
    if field_strength is None and strength is None:
        lacking.append(f"MagneticFieldStrength is in none of the JSON sidecars of {phase[0].name}")
    if lacking:
        raise StudyError(
            f"{'; '.join(lacking)}. Add it there (one {_suffix(phase[0])}.json in the dataset's "
            "root serves all scans), or set fit_field: {echo_times: [...]} [s] and "
            "{field_strength: ...} [T] in the configuration."
        )
    names = [path.name for path in _each(phase, n_echoes)]
    times = _settle_times(said, echo_times, names)
    check_echo_times(times, names=names)
    return Protocol(times, _settle_strength(strength, field_strength, phase[0].name))


def _each(paths: Sequence[Path], n_echoes: int) -> list[Path]:
    """Return a path per echo, the same where one file holds them all."""
    if len(paths) not in (1, n_echoes):
        raise StudyError(f"{paths[0].name}: {len(paths)} files for {n_echoes} echoes.")
    return list(paths) * (n_echoes if len(paths) == 1 else 1)


def _suffix(path: Path) -> str:
    return path.name.split(".")[0].split("_")[-1]


def _echo_times(places: Sequence[tuple[Path, int]], n_echoes: int) -> float | None:
    """Return what an echo's sidecars say of its time [s]; None where they say nothing."""
    times: list[tuple[Path, float]] = []
    for path, index in places:
        value = bids.read_sidecar(path).get("EchoTime")
        if isinstance(value, list):
            if len(value) != n_echoes:
                raise StudyError(
                    f"{path.name}: EchoTime must have one value per echo; got {len(value)} for "
                    f"{n_echoes} echoes. Correct {bids.sidecar_path(path).name}."
                )
            value = value[index]
        if value is not None:
            times.append((path, _positive(value, "EchoTime", path)))
    if len(times) > 1 and abs(times[0][1] - times[1][1]) > SAME_TIME:
        raise StudyError(
            f"{times[0][0].name}: EchoTime must be that of {times[1][0].name}; got "
            f"{times[0][1]:g} and {times[1][1]:g}. Are the echoes numbered alike?"
        )
    return times[0][1] if times else None


def _field_strength(paths: Sequence[Path]) -> float | None:
    """Return what the sidecars say of the main field [T]; None where they say nothing."""
    strengths: dict[Path, float] = {}
    for path in paths:
        value = bids.read_sidecar(path).get("MagneticFieldStrength")
        if value is not None:
            strengths[path] = _positive(value, "MagneticFieldStrength", path)
    for path, value in strengths.items():
        first, strength = next(iter(strengths.items()))
        if abs(value - strength) > SAME_FIELD * strength:
            raise StudyError(
                f"{path.name}: its sidecar says MagneticFieldStrength {value:g}, that of "
                f"{first.name} {strength:g} T. Correct the one that is wrong."
            )
    return next(iter(strengths.values()), None)


def _positive(value: Any, key: str, path: Path) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < 1e9
        or not math.isfinite(value)
    ):
        raise StudyError(
            f"{bids.sidecar_path(path).name}: {key} must be a positive number; got "
            f"{str(value)[:40]!r}."
        )
    return float(value)


def _settle_times(
    said: Sequence[float | None], given: Sequence[float] | None, names: Sequence[str]
) -> list[float]:
    if given is None:
        return [time for time in said if time is not None]
    if len(given) != len(said):
        raise StudyError(
            f"{names[0]}: fit_field.echo_times has {len(given)} values for {len(said)} echoes. "
            "Give one per echo."
        )
    for time, own, name in zip(said, given, names, strict=True):
        if time is not None and abs(time - own) > SAME_TIME:
            raise StudyError(
                f"{name}: its sidecar says EchoTime {time:g}, fit_field.echo_times {own:g} s. "
                "Correct the one that is wrong; null in the configuration takes the sidecars'."
            )
    return [float(own) for own in given]


def _settle_strength(said: float | None, given: float | None, name: str) -> float:
    strength = given if said is None else said
    if strength is None or not FIELD_STRENGTHS[0] <= strength <= FIELD_STRENGTHS[1]:
        raise StudyError(
            f"{name}: MagneticFieldStrength must be in tesla; got {strength:g}. Correct its "
            "sidecar, or fit_field.field_strength."
        )
    if given is not None and abs(strength - given) > SAME_FIELD * strength:
        raise StudyError(
            f"{name}: its sidecar says MagneticFieldStrength {strength:g}, "
            f"fit_field.field_strength {given:g} T. Correct the one that is wrong."
        )
    return float(strength)


def check_echo_times(echo_times: Sequence[float], *, names: Sequence[str]) -> None:
    """Raise unless echo times are increasing seconds.

    Parameters
    ----------
    echo_times : sequence of float
        Echo times [s].
    names : sequence of str
        The file that holds each of them, for the message.

    Raises
    ------
    StudyError
        If a time looks like milliseconds or does not exceed the one before.
    """
    for index, (time, name) in enumerate(zip(echo_times, names, strict=True)):
        if time > LONGEST_ECHO_TIME:
            raise StudyError(
                f"{name}: EchoTime must be in seconds; got {time:g}, which looks like "
                f"milliseconds. Write {time / 1000:g} in its JSON sidecar."
            )
        if index and time <= echo_times[index - 1]:
            raise StudyError(
                f"{name}: EchoTime must increase with the echo [s]; got {time:g} after "
                f"{echo_times[index - 1]:g}. Check its JSON sidecar, or renumber the echoes."
            )
