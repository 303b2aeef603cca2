"""The engine: decisions a second, cases from cold, reach of a large organisation, import times.

    python -m tests.bench.bench_engine

Prints the section "Engine" of docs/PERFORMANCE.md. Decisions are measured beside a naive evaluator in the same run;
what is measured from cold, or by its memory, runs in a process of its own. Medians of several rounds, in seconds of
processor time: the engine runs on one core, so on a quiet machine these are the seconds that pass.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from analytics.engine.decide import Decider, Policies, Request, Result
from analytics.engine.reach import Reachable
from analytics.iam.catalogue import load_catalogue
from analytics.iam.policy import parse_policy
from tests.bench import naive_engine
from tests.bench.engine_cases import make_cases
from tests.bench.estate import EstateSize, make_stacks

MANAGED = Path(__file__).parents[2] / "data" / "reference" / "aws_managed_policies.json.gz"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
FULL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TWO_STATEMENTS = {
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:Get*", "s3:List*"],
            "Resource": ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"],
        },
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/secret/*"},
    ],
}
BOUNDARY = {"Statement": [{"Effect": "Allow", "Action": ["s3:*", "sqs:*", "logs:*"], "Resource": "*"}]}
SCPS = [
    [FULL, {"Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}],
    [
        FULL,
        {
            "Statement": [
                {
                    "Effect": "Deny",
                    "NotAction": ["iam:*", "sts:*", "organizations:*"],
                    "Resource": "*",
                    "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}},
                },
            ],
        },
    ],
    [
        FULL,
        {
            "Statement": [
                {
                    "Effect": "Deny",
                    "Action": ["s3:PutBucket*", "s3:DeleteBucket*"],
                    "Resource": "*",
                    "Condition": {"StringNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/platform-*"}},
                },
            ],
        },
    ],
]
CONTEXT = {"aws:principalarn": (ROLE,), "aws:requestedregion": ("eu-west-1",), "aws:sourceip": ("203.0.113.9",)}
SIZES = (7_500, 15_000, 30_000)


def managed(name):
    """The document of an AWS managed policy."""
    return json.loads(gzip.decompress(MANAGED.read_bytes()))[name]["document"]


def scenarios():
    """Name, identity policy, boundary, SCP levels, actions asked, and whether each is asked for the first time."""
    s3 = [action for action in load_catalogue().actions if action.startswith("s3:")]
    read_only, power_user = managed("ReadOnlyAccess"), managed("PowerUserAccess")
    every_fifth = list(load_catalogue().actions[::5])
    return [
        ("a two-statement policy", TWO_STATEMENTS, None, [], s3, False),
        ("with boundary and three SCP levels", TWO_STATEMENTS, BOUNDARY, SCPS, s3, False),
        ("ReadOnlyAccess under PowerUserAccess", read_only, power_user, [], every_fifth, False),
        ("the same, each action for the first time", read_only, power_user, [], every_fifth, True),
    ]


def requests_for(actions, count=4_000):
    """Requests over the actions and a few objects, in an order that repeats no action soon."""
    rng = random.Random(1)
    keys = [f"arn:aws:s3:::logs/{rng.choice(['a', 'b', 'secret/c'])}/{at}" for at in range(50)]
    return [
        Request(ROLE, actions[at % len(actions)], rng.choice(keys), ACCOUNT, CONTEXT)
        for at in range(max(count, len(actions)))
    ]


def rate(decide_one, requests, rounds=5):
    """Decisions a second, the median of several rounds; the answers of the last one."""
    rates, answers = [], []
    for _ in range(rounds):
        start = time.process_time()
        answers = [decide_one(request) for request in requests]
        rates.append(len(requests) / (time.process_time() - start))
    return median(rates), answers


def decisions():
    """Rows of decisions a second: the engine, the naive evaluator, and how many times faster."""
    for name, identity, boundary, scps, actions, first_sight in scenarios():
        parsed = {"identity": (parse_policy(identity, name="identity"),)}
        if boundary:
            parsed["boundary"] = (parse_policy(boundary, name="boundary"),)
        parsed["scp_levels"] = tuple(tuple(parse_policy(one, name="scp") for one in level) for level in scps)
        policies, requests = Policies(**parsed), requests_for(actions)
        if first_sight:
            requests = requests[: len(actions)]
            rates = []
            for _ in range(5):
                decider = Decider(policies)
                decider.decide(Request(ROLE, "none:Such", "*", ACCOUNT, CONTEXT))  # compiled; the actions are not seen
                rates.append(rate(decider.decide, requests, rounds=1))
            fast, answers = median(one for one, _ in rates), rates[-1][1]
        else:
            decider = Decider(policies)
            rate(decider.decide, requests, rounds=1)
            fast, answers = rate(decider.decide, requests)
        some = requests[:: max(1, len(requests) // 400)]
        slow, expected = rate(
            lambda request, policies=(identity, boundary, scps): naive_engine.decide(
                request, [policies[0]], [policies[1]] if policies[1] else None, policies[2]
            ),
            some,
            rounds=1,
        )
        allowed = [answer.result is Result.ALLOWED for answer in answers[:: max(1, len(requests) // 400)]]
        agree = sum(one == other for one, other in zip(allowed, expected, strict=True)) / len(expected)
        yield name, fast, slow, agree


def run_reach(principals):
    """Print seconds and memory of the reach of so many principals, from their parsed stacks."""
    catalogue = load_catalogue()
    stacks = make_stacks(catalogue, EstateSize(principals=principals))
    start = time.process_time()
    reachable = Reachable(catalogue)
    reaches = [reachable.of(stack) for stack in stacks]
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "distinct": len(set(reaches))}))


def in_own_process(*arguments):
    """The JSON that this module prints when run with these arguments."""
    command = [sys.executable, "-m", "tests.bench.bench_engine", *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def seconds_of(command, rounds=5):
    """Processor seconds of a whole process, the median of several."""
    taken = []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return median(taken)


def machine():
    """One line about where the figures come from."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, {gib:.0f} GiB"


def print_decisions():
    """The table of decisions a second."""
    print(
        "| decisions a second, stack compiled once | Headroom | naive | × | answers that agree |\n|---|---|---|---|---|"
    )
    for name, fast, slow, agree in decisions():
        print(f"| {name} | {fast:,.0f} | {slow:,.0f} | {fast / slow:,.0f} | {agree:.1%} |")


def print_processes():
    """The table of what runs in a process of its own."""
    print("\n| whole process | seconds |\n|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        cases = Path(folder) / "cases.jsonl"
        cases.write_text("".join(json.dumps(case) + "\n" for case in make_cases(20_000)), "utf-8")
        simulate = [sys.executable, "-m", "analytics", "simulate", str(cases)]
        print(f"| `simulate` of 20,000 distinct mixed cases ({cases.stat().st_size / 2**20:.0f} MiB) |", end="")
        print(f" {seconds_of(simulate, rounds=3):.2f} |")
    nothing = seconds_of([sys.executable, "-c", "pass"])
    for module in ("analytics.cli", "analytics.engine.reach", "analytics.engine.decide"):
        taken = seconds_of([sys.executable, "-c", f"import {module}"]) - nothing
        print(f"| `import {module}`, beyond an empty Python ({nothing:.2f}) | {taken:.2f} |")
    load = "from analytics.iam.catalogue import load_catalogue; load_catalogue()"
    print(f"| the catalogue of 22,000 actions, likewise | {seconds_of([sys.executable, '-c', load]) - nothing:.2f} |")


def print_reach():
    """The table of reach by number of principals."""
    print("\n| reach: principals (6,000 policies, 5 SCP levels) | seconds | µs each | peak MiB | distinct reaches |")
    print("|---|---|---|---|---|")
    for size in SIZES:
        runs = [in_own_process("--reach", str(size)) for _ in range(3)]
        seconds = median(run["seconds"] for run in runs)
        peak = median(run["peak_mib"] for run in runs)
        each = seconds / size * 1e6
        print(f"| {size:,} | {seconds:.2f} | {each:.0f} | {peak:.0f} | {runs[0]['distinct']:,} |")


def main():
    """Print the tables, or one run for another process of this module."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reach", type=int, metavar="PRINCIPALS", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.reach:
        run_reach(given.reach)
        return
    print(f"{machine()}.\n")
    print_decisions()
    print_reach()
    print_processes()


if __name__ == "__main__":
    main()
