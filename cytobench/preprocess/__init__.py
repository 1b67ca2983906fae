"""From raw baseline columns to a numeric matrix, fitted inside the training fold."""
