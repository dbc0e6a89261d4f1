"""Regress the patients' susceptibility on one factor at a time (Table 5)."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.regression import univariate_table

main = makes_table(univariate_table)

if __name__ == "__main__":
    job.run(main)
