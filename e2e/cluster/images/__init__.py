"""Container images from the repository's Dockerfiles, without a registry."""
