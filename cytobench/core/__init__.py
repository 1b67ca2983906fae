"""The vocabulary of every other layer: errors, cards, spaces, declarations, results, hashes."""
