"""Compare the lesion's side with the other side in every nucleus."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.lesions import lesion_side_table

main = makes_table(lesion_side_table)

if __name__ == "__main__":
    job.run(main)
