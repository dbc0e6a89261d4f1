"""Compare the hemispheres in every nucleus and group."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.association import asymmetry_table

main = makes_table(asymmetry_table)

if __name__ == "__main__":
    job.run(main)
