"""How far a run is: jobs and participants done, what runs, time left, in lines of text.

Fed with what happens, asked for lines; it reads no clock, no file and no terminal.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

#: Stages of one scan in the order of the chain: the last one planned tells participants done.
CHAIN = (
    "simulate_scan",
    "fit_field",
    "unwrap_phase",
    "extract_brain",
    "remove_background",
    "invert_dipole",
    "draw_mosaic",
)
#: Jobs shown by name; the others are counted.
SHOWN = 4
#: No time left is told before this share of the jobs is done, unless a participant is.
EARLY = 0.1


@dataclass(frozen=True)
class Job:
    """A running job: its rule, the scan it works on (empty for the study) and its start [s]."""

    rule: str
    scan: str
    start: float


@dataclass
class Progress:
    """State of one run.

    Attributes
    ----------
    planned : mapping
        Jobs to run by rule, in the order of the chain.
    start : float
        Start of the run [s].
    total : int
        All jobs, where more than their rules is known: a checkpoint adds jobs.
    """

    planned: Mapping[str, int]
    start: float
    total: int = 0
    running: dict[int, Job] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    failed: set[int] = field(default_factory=set)
    busy: Counter[str] = field(default_factory=Counter)
    latest: str = ""

    def begin(self, job: int, rule: str, wildcards: Mapping[str, str], now: float) -> None:
        """Note that a job has started, or has started again."""
        scan = wildcards.get("scan") or wildcards.get("sub") or ""
        rater = wildcards.get("rater")
        self.failed.discard(job)
        self.latest = rule
        self.running[job] = Job(rule, f"{scan} rater {rater}" if rater else scan, now)

    def finish(self, job: int, now: float) -> None:
        """Note that a job has finished."""
        if ended := self.running.pop(job, None):
            self.done[ended.rule] += 1
            self.busy[ended.rule] += now - ended.start  # type: ignore[assignment]

    def fail(self, job: int) -> None:
        """Note that a job has failed; it may start again."""
        self.running.pop(job, None)
        self.failed.add(job)

    def replan(self, total: int, by_rule: Mapping[str, int] | None = None) -> None:
        """Note that the run has other jobs than were planned, by rule where that is known."""
        self.total = total
        if by_rule is not None:
            rules = dict.fromkeys([*self.planned, *by_rule])
            self.planned = {rule: by_rule[rule] for rule in rules if rule in by_rule}

    @property
    def jobs(self) -> tuple[int, int]:
        """Jobs done, and all jobs."""
        return self.done.total(), self.total or sum(self.planned.values())

    @property
    def participants(self) -> tuple[int, int] | None:
        """Scans whose last planned step is done, and all with a step to do; None without scans."""
        last = next((rule for rule in reversed(CHAIN) if self.planned.get(rule)), None)
        return (self.done[last], self.planned[last]) if last else None

    @property
    def stage(self) -> str:
        """The stage that most jobs run; between jobs that of the latest, at first the first."""
        rules = Counter(job.rule for job in self.running.values())
        unfinished = [rule for rule, n in self.planned.items() if self.done[rule] < n]
        if rules:
            name = rules.most_common(1)[0][0]
        else:
            name = (self.latest or unfinished[0]) if unfinished else "finished"
        return name.replace("_", " ")

    def seconds_left(self, now: float) -> float | None:
        """Estimate the time left [s]; None before anything can be said.

        Every job left costs the mean of its rule's finished jobs (of all finished jobs where
        none is), and as many run side by side as did until now.
        """
        done, total = self.jobs
        finished = self.participants and self.participants[0]
        if not done or (not finished and done < EARLY * total):
            return None
        overall = sum(self.busy.values()) / done
        to_do = {rule: max(n - self.done[rule], 0) for rule, n in self.planned.items()}
        seconds = sum(
            n * (self.busy[rule] / self.done[rule] if self.done[rule] else overall)
            for rule, n in to_do.items()
        )
        seconds += overall * max(total - done - sum(to_do.values()), 0)
        begun = sum(now - job.start for job in self.running.values())
        side_by_side = (sum(self.busy.values()) + begun) / max(now - self.start, 1e-9)
        return max(seconds - begun, 0.0) / max(side_by_side, 1e-9)

    def line(self, now: float) -> str:
        """Return the state as one line, for a log."""
        done, total = self.jobs
        parts = [f"{done} of {total} jobs ({100 * done // max(total, 1)} %)"]
        if people := self.participants:
            parts.append(f"participants {people[0]} of {people[1]}")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        if done < total:
            parts.append(f"stage {self.stage}")
        return ", ".join([*parts, f"{self._times(now)}"])

    def _times(self, now: float) -> str:
        left = self.seconds_left(now)
        elapsed = f"{clock(now - self.start)} gone"
        if self.jobs[0] >= self.jobs[1]:
            return elapsed
        return f"{elapsed}, " + ("time left not yet known" if left is None else about(left))

    def display(self, now: float, *, width: int, full: str = "█", empty: str = "░") -> list[str]:
        """Return the state as lines of at most `width` characters, for a terminal."""
        done, total = self.jobs
        lines = []
        bar_width = max(min(width - 45, 40), 0)
        if people := self.participants:
            lines.append(f"Participants {bar(*people, bar_width, full, empty)} {of(*people)}")
        failed = f", {len(self.failed)} failed" if self.failed else ""
        lines.append(f"Jobs         {bar(done, total, bar_width, full, empty)} {of(done, total)}")
        lines.append(f"Stage        {self.stage}{failed}; {self._times(now)}")
        jobs = sorted(self.running.values(), key=lambda job: job.start)
        for job in jobs[:SHOWN]:
            name = f"{job.rule.replace('_', ' ')} {job.scan}".rstrip()
            lines.append(f"  {clock(now - job.start):>7}  {name}")
        if len(jobs) > SHOWN:
            lines.append(f"           and {len(jobs) - SHOWN} more")
        return [line[:width] for line in lines]


def bar(done: int, total: int, width: int, full: str, empty: str) -> str:
    """Return a bar of `width` characters, full only when all is done."""
    filled = width * done // max(total, 1)
    return full * filled + empty * (width - filled)


def of(done: int, total: int) -> str:
    """Return ``12 of 64``, the numbers aligned."""
    return f"{done:>{len(str(total))}} of {total}"


def clock(seconds: float) -> str:
    """Return a duration as ``0:07`` or ``1:02:03``."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def about(seconds: float) -> str:
    """Return a time left in words, no finer than it can be known."""
    if seconds < 60:
        return "less than a minute left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"
