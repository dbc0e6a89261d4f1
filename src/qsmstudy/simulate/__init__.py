"""A simulated cohort: real MR physics on a realistic head, calibrated to published numbers.

The forward model is independent of the reconstruction: nothing here imports ``recon``,
``solvers`` or ``fourier``, and no analysis imports this package.
"""
