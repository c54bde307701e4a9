"""``python -m route53_takeover``: the command line."""

from route53_takeover.cli.app import main

main()
