"""`ergo`, also `kubectl ergo`."""
