"""The scikit-learn contract for PyTorch networks."""
