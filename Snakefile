# The study, from the top of the repository: the workflow itself is workflow/Snakefile.
#
#   snakemake --cores 8                                          the default study (simulated cohort)
#   snakemake chimaps --cores 8 --config bids_dir=DIR output_dir=DIR     maps of your own scans
#   snakemake --cores 8 --config bids_dir=DIR output_dir=DIR             your whole study
include: "workflow/Snakefile"


engine.set_default_target(workflow, "all")  # an included file cannot set it
