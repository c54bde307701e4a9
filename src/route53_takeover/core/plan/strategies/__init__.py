"""The strategies: how a record changes hands. One module each, and which of them a plan takes.

A strategy is data that a run carries out: what each record set is changed to before the deploy
(`Manual.prepared`), which helper records answer meanwhile (`Plan.helpers`), or why it is not
possible. What a run does with it is in `route53_takeover.core.takeover`.
"""
