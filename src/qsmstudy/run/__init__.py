"""What touches Snakemake: configuration, jobs, fingerprints, record, progress."""
