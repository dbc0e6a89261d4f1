"""Numbers of a paper: compared with the study's own, and checked against each other."""
