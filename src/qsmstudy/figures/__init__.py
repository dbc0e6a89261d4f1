"""The study's pictures: each ``plot_*`` takes arrays or tables and returns a Figure.

Numbers beside the marks come from the tables; nothing is tested or estimated here.
"""
