"""A whole cluster of real kernels on one machine."""
