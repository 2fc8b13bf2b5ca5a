"""Ergosphere: training jobs on Kubernetes that can be cut anywhere and go on elsewhere."""
