"""What a user gives, found, read and checked once: scans, labels, tables, decisions."""
