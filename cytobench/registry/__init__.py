"""Which plugins there are (without importing them), and loading the chosen one."""
