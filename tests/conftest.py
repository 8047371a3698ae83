"""What holds for every test."""

from hypothesis import HealthCheck, settings

# a shared machine may take any time over one example: no test is about that
settings.register_profile("netprov", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("netprov")
