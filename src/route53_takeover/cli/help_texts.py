"""What ``--help`` says beside the options: examples and exit codes of each command."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "route53-takeover rehearse",
        "route53-takeover init --stack Shop --record www.example.com",
    ),
    "plan": (
        (
            "route53-takeover plan --stack Shop --record www.example.com \\\n"
            "    --deploy 'npx cdk deploy Shop --require-approval never'"
        ),
        "route53-takeover plan --jets path/to/app --record www.example.com --out plan.json",
    ),
    "run": (
        (
            "route53-takeover run --stack Shop --record www.example.com \\\n"
            "    --deploy 'npx cdk deploy Shop --require-approval never'"
        ),
        "route53-takeover run --plan plan.json --auto",
    ),
    "init": (
        "route53-takeover init",
        "route53-takeover init --stack Shop --record www.example.com --tool cdk --yes",
    ),
    "diagnose": ("route53-takeover diagnose --stack Shop",),
    "policy": (
        "route53-takeover policy --stack Shop --record www.example.com --no-deploy > policy.json",
        "route53-takeover policy --live --zone example.com > policy.json",
    ),
    "switch": (
        (
            "route53-takeover switch --domain www.example.com --to-stack shop-green \\\n"
            "    --check https://www.example.com/up --dry-run"
        ),
    ),
    "retire": ("route53-takeover retire --stack shop-blue",),
    "rehearse": (
        "route53-takeover rehearse",
        "route53-takeover rehearse --scenario never-created --speed 10 --auto",
        "route53-takeover rehearse --virtual --runs 1000 --seed 7",
    ),
    "runs": ("route53-takeover runs", "route53-takeover runs --prune --older-than 90d"),
    "resume": ("route53-takeover resume 20261128-040935-shop --auto",),
    "attach": ("route53-takeover attach 20261128-040935-shop",),
    "restore": ("route53-takeover restore 20261128-040935-shop --dry-run",),
    "report": (
        "route53-takeover report",
        "route53-takeover report last --output html > report.html",
    ),
}
"""Command -> lines to copy; empty: the program."""

_USAGE = "usage: command line, takeover.toml, RUN or state folder"
_REFUSED = "refused, nothing written: the reason and the way out are printed"
_READ = {0: "done", 1: "no credentials, or AWS cannot be reached", 2: _USAGE}
_RUN = {
    0: "done, or nothing to do",
    1: "failed or aborted; every record is as it was",
    2: _USAGE,
    3: _REFUSED,
    4: "unknown, or a name has no record: look, then resume or restore",
    130: "interrupted before the release; everything is as it was",
}
EXIT_CODES: dict[str, dict[int, str]] = {
    "": _RUN,
    "init": _READ | {3: "the stack, the record or its zone was not found; nothing was written"},
    "plan": _READ | {0: "a run would start, or nothing is to do", 3: _REFUSED},
    "policy": _READ | {3: "the plan is refused: it has no policy"},
    "diagnose": _READ | {0: "the stack was read", 3: "the stack does not exist or may not be read"},
    "run": _RUN,
    "resume": _RUN,
    "switch": _RUN
    | {
        1: "failed or aborted; blue serves the site",
        4: "unknown: look at the site, then resume or restore",
        130: "interrupted before the switch; everything is as it was",
    },
    "retire": _READ | {0: "safe, or deleted", 3: "not safe; nothing was deleted", 4: "unknown"},
    "rehearse": _RUN,
    "restore": _RUN,
    "attach": _RUN | {0: "done, or the run goes on without this screen"},
}

SETTINGS = (
    "Durations are seconds, or 90s, 5m, 1h30m. Each option but those of one call has a variable "
    "(--deploy-timeout: ROUTE53_TAKEOVER_DEPLOY_TIMEOUT) and a key in takeover.toml "
    '(deploy-timeout = "2h"). The command line wins over variables, variables over the file.'
)

KEY_EXAMPLES: dict[str, str | int | list[str]] = {
    "stack": "Shop",
    "record": ["www.example.com"],
    "zone": "example.com",
    "template": "site.yml",
    "parameter": ["Route53Enable=true"],
    "preview": "npx cdk deploy Shop --no-execute --require-approval never",
    "deploy": "npx cdk deploy Shop --require-approval never",
    "deploy-off": "make deploy-off",
    "deploy-on": "make deploy-on",
    "jets": "path/to/app",
    "strategy": "auto",
    "weights": "10,50,100",
    "negative-ttl": "60s",
    "cloud-deadman": "arn:aws:iam::123456789012:role/takeover-deadman",
    "hold": "10s",
    "restore-after": "2m",
    "settle": "5s",
    "name-server": ["192.0.2.53"],
    "profile": "production",
    "region": "eu-west-1",
    "endpoint-url": "http://127.0.0.1:4566",
    "dns-profile": "dns",
    "state-dir": ".takeover",
    "on-event": "./page-me",
    "domain": "www.example.com",
    "base-path": "v1",
    "distribution": "E2EXAMPLE",
    "origin": "api",
    "to": "a1b2c3d4e5/prod",
    "to-stack": "shop-green",
    "extra": "2",
    "check": ["https://www.example.com/up --expect-body ok"],
    "invalidate": "/*",
    "retire": "shop-blue",
    "scenario": "never-created",
    "like": "plan.json",
    "speed": 10,
}
"""Key of takeover.toml -> a value to show, where the default is none."""
