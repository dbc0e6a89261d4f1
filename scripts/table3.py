"""Compare the groups' susceptibility in every region (Table 3)."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.groups import group_table

main = makes_table(group_table)

if __name__ == "__main__":
    job.run(main)
