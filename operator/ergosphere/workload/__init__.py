"""Pure: (job, placement) to the Kubernetes objects that should exist."""
