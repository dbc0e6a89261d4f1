"""What a study is, below everything that analyses it."""
