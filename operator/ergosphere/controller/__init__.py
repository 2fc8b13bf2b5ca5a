"""The operator: observe, decide, apply. The only package that talks to the API server."""
