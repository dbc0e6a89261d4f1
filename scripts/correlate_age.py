"""Correlate every region with age, in every group."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.age import age_table

main = makes_table(age_table)

if __name__ == "__main__":
    job.run(main)
