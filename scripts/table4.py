"""Compute the ROC analysis of regions and their combination (Table 4)."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.roc import roc_table

main = makes_table(roc_table, further=("roc_curves",))

if __name__ == "__main__":
    job.run(main)
