"""The report of a run as a value: made from its journal, rendered in `route53_takeover.output`."""
