"""Settings of all tests: no property has a deadline, since speed is judged by benchmarks."""

from hypothesis import settings

settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
