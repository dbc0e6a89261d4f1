"""Correlate age and every region with the patients' scores."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.association import correlation_table

main = makes_table(correlation_table)

if __name__ == "__main__":
    job.run(main)
