"""Labels without a rater: a template's labels, registered to each scan."""
