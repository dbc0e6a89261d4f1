"""Compare each pair of three or more groups."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.several import contrast_table

main = makes_table(contrast_table)

if __name__ == "__main__":
    job.run(main)
