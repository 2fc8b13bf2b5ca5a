"""Clusters of kind (Kubernetes in Docker): a container per node."""
