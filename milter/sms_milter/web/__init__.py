"""HTTP: asking web services, and hearing what they tell us."""
