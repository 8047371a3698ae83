"""What happened: typed events, the timeline of each boot, the verdicts on it."""
