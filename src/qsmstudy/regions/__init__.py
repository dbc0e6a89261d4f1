"""Labelled regions: their measurement on a map, and summaries of the measurements.

Functions take arrays and tables; the scripts read and write the files.
"""
