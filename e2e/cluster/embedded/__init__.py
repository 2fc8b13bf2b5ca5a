"""A cluster of namespaces on this machine: no container engine, no registry, no virtual machines."""
