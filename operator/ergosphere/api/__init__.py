"""The resources of `ergosphere.dev/v1alpha1`, and the protocol between operator and agent."""
