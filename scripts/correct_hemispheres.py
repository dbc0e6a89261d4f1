"""Correct the comparisons of left and right for their number."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.multiplicity import corrected_asymmetry

main = makes_table(corrected_asymmetry)

if __name__ == "__main__":
    job.run(main)
