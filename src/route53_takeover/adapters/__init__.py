"""The ports on real AWS, real DNS and real processes: one module a service."""
