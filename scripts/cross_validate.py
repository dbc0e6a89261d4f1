"""Cross-validate the areas under the ROC curves of Table 4."""

from qsmstudy.run import job
from qsmstudy.run.table_script import makes_table
from qsmstudy.stats.cross_validation import cross_validated_table

main = makes_table(cross_validated_table)

if __name__ == "__main__":
    job.run(main)
