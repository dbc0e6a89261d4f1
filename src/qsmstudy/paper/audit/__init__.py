"""Whether the numbers that a paper prints agree with each other.

Takes published numbers with their printed decimals and the relations among them, and says for
each relation which values the printed ones allow. No participant's data are needed. Every
check is driven by the file's relations; none knows a paper.
"""
