"""Results compared with the simulated truth."""
