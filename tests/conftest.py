"""What holds for all tests."""

from hypothesis import settings

# How fast an example runs says more of the machine than of the code.
settings.register_profile("ergosphere", deadline=None)
settings.load_profile("ergosphere")
