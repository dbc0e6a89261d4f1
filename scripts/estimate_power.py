"""Estimate every region's power and the size of a replication."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.power import power_table

main = makes_table(power_table)

if __name__ == "__main__":
    job.run(main)
