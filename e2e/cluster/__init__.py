"""Throw-away Kubernetes clusters for development and tests, behind one small interface."""
