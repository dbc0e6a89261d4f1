"""Compare the groups adjusted for covariates."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.adjusted import adjusted_table

main = makes_table(adjusted_table)

if __name__ == "__main__":
    job.run(main)
