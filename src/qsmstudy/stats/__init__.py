"""Statistics of the group study: tidy tables in, tidy tables out.

Every function takes values and named conventions and returns a table or a number;
none draws, and none knows where files lie. Tables keep one row order: regions in the
order of `dataset.REGIONS`, patients before controls.
"""
