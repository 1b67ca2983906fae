"""Jobs, folds, engines and the run store."""
