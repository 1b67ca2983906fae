"""Leaderboards as a folder of pages that need no server and no network."""
