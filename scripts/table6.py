"""Regress the patients' susceptibility on the selected factors together (Table 6)."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.regression import multivariable_table

main = makes_table(multivariable_table)

if __name__ == "__main__":
    job.run(main)
