"""The study's report: tables as printed, sentences, methods text, one HTML file."""
