"""Compute the raters' agreement per region and group (Table 2)."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.agreement import agreement_table

main = makes_table(agreement_table)

if __name__ == "__main__":
    job.run(main)
