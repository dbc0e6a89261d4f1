"""Count the tests' false positives over permuted studies without a difference."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.null import null_table

main = makes_table(null_table)

if __name__ == "__main__":
    job.run(main)
