"""Describe the participants and compare the groups (Table 1)."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.characteristics import participants_table

main = makes_table(participants_table, measured=False)

if __name__ == "__main__":
    job.run(main)
