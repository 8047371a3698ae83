"""What the operator declared: one table of fields, read, checked, inherited, edited, watched."""
