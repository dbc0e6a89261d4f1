"""Checks of a printed scan protocol: matrix, scan time, echo times."""

import numpy as np

from qsmstudy.paper.audit.relations import Case
from qsmstudy.paper.audit.values import Outcome
from qsmstudy.paper.interval import Interval


def _whole_in(range_: Interval) -> list[int]:
    return list(range(int(np.ceil(range_.low - 1e-9)), int(np.floor(range_.high + 1e-9)) + 1))


def matrix(case: Case) -> list[Outcome]:
    """Ask whether field of view over voxel size is a whole number of voxels."""
    field, voxel = case.number("field_mm"), case.number("voxel_mm")
    # A field of view is set in whole millimetres; a voxel size is printed rounded.
    size = Interval(field.value / voxel.interval.high, field.value / voxel.interval.low)
    nominal = field.value / voxel.value
    text = f"{case.about}: {field} mm over {voxel} mm is {nominal:.4g} voxels"
    printed = f"{field} mm, {voxel} mm"
    if abs(nominal - round(nominal)) < 1e-6:
        return [Outcome("consistent", f"{text}, a whole number.", (), printed, size, "voxels")]
    fits = _whole_in(size)
    if not fits:
        text += ", no whole number, and rounding allows none. One of the two may be a slip."
        return [Outcome("inconsistent", text, (), printed, size, "voxels")]
    text += (
        f", no whole number; the voxel size seems rounded, and the matrix may be anything from "
        f"{fits[0]} to {fits[-1]}. The paper does not print it."
    )
    return [Outcome("inference", text, (), printed, size, "voxels")]


def scan_time(case: Case) -> list[Outcome]:
    """Ask whether the scan time is that of whole lines, and what acceleration that means."""
    seconds, repetition = case.number("seconds"), case.number("tr_ms")
    slices, factor = case.number("slices").whole, case.number("acceleration").whole
    per_slice = 1000 / (repetition.value * slices)
    lines = Interval(seconds.interval.low * per_slice, seconds.interval.high * per_slice)
    fits = _whole_in(lines)
    printed = f"{seconds} s, TR {repetition} ms, {slices} slices"
    text = f"{case.about}: {seconds} s at a TR of {repetition} ms and {slices} slices "
    if not fits:
        text += "is no whole number of lines per slice. One of them may be a slip."
        return [Outcome("inconsistent", text, (), printed, lines, "lines per slice")]
    text += f"is {' or '.join(map(str, fits))} lines per slice"
    rows = Interval(
        case.number("field_mm").value / case.number("voxel_mm").interval.high,
        case.number("field_mm").value / case.number("voxel_mm").interval.low,
    )
    most = [factor * n for n in fits if factor * n >= rows.low - 1e-9]
    if not most:
        text += (
            f": fewer than a matrix of {rows.low:.0f} or more rows needs at acceleration {factor}."
        )
        return [Outcome("inconsistent", text, (), printed, lines, "lines per slice")]
    text += f", which fits acceleration {factor} of up to {most[-1]} rows."
    return [Outcome("consistent", text, (), printed, lines, "lines per slice")]


def echo_times(case: Case) -> list[Outcome]:
    """Ask whether every echo has its time, and which even spacings the repetition time allows."""
    echoes, times = case.number("echoes").whole, case.numbers("te_ms")
    printed = ", ".join(map(str, times)) + " ms"
    if len(times) >= echoes:
        text = f"{case.about}: {len(times)} echo times are printed for {echoes} echoes."
        verdict = "consistent" if len(times) == echoes else "inconsistent"
        return [Outcome(verdict, text, (), printed)]
    most = (case.number("tr_ms").value - times[-1].value) / (echoes - len(times))
    text = (
        f"{case.about}: {len(times)} echo time is printed for {echoes} echoes; the spacing is not "
        f"stated. Even spacing could be anything below {most:.3g} ms at this TR, so that the echo "
        "times of a reproduction are an assumption."
    )
    return [Outcome("inference", text, (), printed, Interval(0.0, most), "echo spacing [ms]")]
