"""What holds for all tests."""

from hypothesis import HealthCheck, settings

if settings.default.deadline is not None:  # a run of mutants has chosen its own
    # How long an example takes says nothing on a machine that is busy.
    settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")
