"""Submissions: a finished cell as one file, and everything that has to hold before it is a row."""
