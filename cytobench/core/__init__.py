"""The vocabulary every other layer speaks: errors, cards, search spaces, declarations, results, hashes, seeds."""
