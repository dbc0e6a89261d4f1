"""Snakemake logger: a live display on a terminal, plain lines elsewhere.

Snakemake finds logger plugins by the name of their module; ``profiles/default`` asks for this
one. What Snakemake has to say beside progress (errors, warnings, a dry run) passes through
unchanged.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from logging import LogRecord
from typing import TYPE_CHECKING, TextIO

from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

if TYPE_CHECKING:
    from qsmstudy.run.progress import Progress

#: A plain line after this many percent of the jobs, or after this time [s] with a job finished.
EVERY_PERCENT, EVERY_SECONDS = 5, 60.0
#: Seconds between two drawings of the live display.
TICK = 0.5
#: What the display says in its own way, and what it has no need to say.
SWALLOWED = {LogEvent.PROGRESS, LogEvent.JOB_FINISHED, LogEvent.JOB_STARTED}
NOISE = {"Select jobs to execute..."}
#: Shown although rules are quiet: which job failed, and its log.
ERRORS = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR}


class LogHandler(LogHandlerBase):
    """Show how far the run is.

    The display is on where rules are quiet and progress is not (as in ``profiles/default``);
    with ``--quiet host`` every job is shown as Snakemake shows it.
    """

    def __post_init__(self) -> None:
        settings = self.common_settings
        self.stream: TextIO = sys.stdout if settings.stdout else sys.stderr
        self.inner = ColorizingTextHandler(nocolor=settings.nocolor, stream=self.stream)
        quiet = set(settings.quiet or ())
        self.inner.setFormatter(DefaultFormatter(quiet, settings.show_failed_logs))
        self.passes = DefaultFilter(
            quiet,
            settings.debug_dag,
            settings.verbose,
            settings.dryrun,
            settings.printshellcmds,
        ).filter
        self.on = (
            not settings.dryrun
            and Quietness.RULES in quiet
            and not quiet & {Quietness.PROGRESS, Quietness.ALL}
        )
        self.live = self.on and is_terminal(self.stream)
        self.progress: Progress | None = None
        #: Counts the jobs by rule; set by the Snakefile, as no event tells what a checkpoint adds.
        self.plan: Callable[[], Mapping[str, int]] | None = None
        self.told = (0.0, 0)  # when the last plain line was written, after how many jobs
        self.drawn = 0  # lines of the display below the cursor
        self.stop = threading.Event()

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: LogRecord) -> None:
        """Take note of an event, write its text if it has one to show, draw anew."""
        event = getattr(record, "event", None)
        if self.on:
            self._note(event, record)
        swallowed = self.progress and (event in SWALLOWED or record.msg in NOISE)
        if not swallowed and (self.passes(record) or (self.on and event in ERRORS)):
            self._erase()
            self.inner.emit(record)
            self._draw()
        if self.progress and event == LogEvent.PROGRESS:
            (self._draw if self.live else self._tell)()

    def _note(self, event: LogEvent | None, record: LogRecord) -> None:
        now, item = time.monotonic(), vars(record)
        if event == LogEvent.RUN_INFO and self.progress is None:
            planned = {rule: n for rule, n in item["stats"].items() if rule != "total"}
            # Not before: Snakemake loads plugins before the workflow names its own library.
            from qsmstudy.run.progress import Progress

            self.progress = Progress(planned, now)
            self.told = (now, 0)
            if self.live:
                threading.Thread(target=self._tick, daemon=True).start()
        elif self.progress is None:
            return
        elif event == LogEvent.JOB_INFO:
            wildcards = item["wildcards"] or {}
            self.progress.begin(item["jobid"], item["rule_name"], wildcards, now)
        elif event == LogEvent.JOB_FINISHED:
            self.progress.finish(item["job_id"], now)
        elif event == LogEvent.JOB_ERROR:
            self.progress.fail(item["jobid"])
        elif event == LogEvent.PROGRESS and item["total"] != self.progress.jobs[1]:
            self._replan(item["total"])

    def _replan(self, total: int) -> None:
        """Take over what a checkpoint has added."""
        assert self.progress is not None
        try:
            by_rule = self.plan() if self.plan else None
        except RuntimeError:  # the scheduler changes the jobs just now: ask at the next event
            return
        self.progress.replan(total, by_rule)

    def _tell(self) -> None:
        """Write a plain line, now and then."""
        assert self.progress is not None
        now = time.monotonic()
        done, total = self.progress.jobs
        when, before = self.told
        steps = 100 * (done - before) / max(total, 1)
        if steps >= EVERY_PERCENT or now - when >= EVERY_SECONDS or done == total:
            self.told = (now, done)
            self.stream.write(f"[{time.strftime('%H:%M:%S')}] {self.progress.line(now)}\n")
            self.stream.flush()

    def _tick(self) -> None:
        while not self.stop.wait(TICK):
            with self.lock:  # type: ignore[union-attr]  # as every emit holds it
                self._draw()

    def _draw(self) -> None:
        """Draw the display below the cursor, which stays above it.

        So what a job writes to the terminal by itself lands above the next drawing and is kept.
        """
        if not self.live or self.progress is None or self.stop.is_set():
            return
        unicode = "utf" in (getattr(self.stream, "encoding", None) or "").lower()
        size = shutil.get_terminal_size()
        bars = {} if unicode else {"full": "#", "empty": "-"}
        lines = self.progress.display(time.monotonic(), width=size.columns - 1, **bars)
        lines = ["", *lines][: max(size.lines - 1, 2)]
        self.stream.write("\r\x1b[J" + "\n".join(lines) + f"\x1b[{len(lines) - 1}A\r")
        self.stream.flush()
        self.drawn = len(lines)

    def _erase(self) -> None:
        if self.drawn:
            self.stream.write("\r\x1b[J")
            self.drawn = 0

    def close(self) -> None:
        """Replace the display by a last line."""
        if self.live and self.progress and not self.stop.is_set():
            with self.lock:  # type: ignore[union-attr]
                self.stop.set()
                self._erase()
                self.stream.write(self.progress.line(time.monotonic()) + "\n")
                self.stream.flush()
        super().close()


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a stream can be drawn on: a terminal that is not dumb, and not in CI."""
    if os.environ.get("TERM", "dumb") == "dumb" or os.environ.get("CI"):
        return False
    return stream.isatty()
