"""Plugins for cytobench, shipped as a package."""
