"""A cohort whose analysis gives the published numbers: construction of table values.

The printed numbers are read here and turned into participants, susceptibilities and two
raters' values, step by step: `clinical` (demographics, scores), `patients` and `controls`
(14 nuclei each), `ratings` (two raters), `build` (all of it). Every step is seeded, has a fixed
number of iterations and ends on a decimal grid, so that the result is the same on every machine.
A match with the paper is by construction and no evidence for its findings.
"""
