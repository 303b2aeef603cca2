"""What an application needs and does, as one thing: a statement that allows it and the calls that use it.

Each function gives a builder that is told where the application runs (`Site`) and returns a `Grant`. The statement
covers the calls, so a call of the sample succeeds only where a policy allows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from analytics.demo.calls import action_of
from analytics.demo.company import HOME, Company
from analytics.demo.documents import allow
from analytics.demo.model import Account, Document, Refusal, Use, base32, uuid_of


@dataclass(frozen=True, slots=True)
class Site:
    """Where an application runs: its account, and the company around it."""

    account: Account
    company: Company

    @property
    def seed(self) -> int:
        """The seed of all invented identifiers."""
        return self.company.seed

    @property
    def environment(self) -> str:
        """The short form of the environment in the names of resources."""
        return {"production": "prod", "staging": "staging", "development": "dev"}.get(
            self.account.environment, self.account.environment
        )

    def arn(self, service: str, resource: str) -> str:
        """An ARN in the home region of this account."""
        return f"arn:aws:{service}:{HOME}:{self.account.account_id}:{resource}"

    def bucket(self, name: str) -> str:
        """The name of a bucket that belongs to this environment."""
        return f"ardenly-{name}-{self.environment}-{HOME}"

    def key(self, alias: str) -> str:
        """The id of the key behind an alias."""
        return uuid_of(self.seed, "key", self.account.account_id, alias)

    def key_arn(self, alias: str) -> str:
        """The ARN of the key behind an alias."""
        return self.arn("kms", f"key/{self.key(alias)}")


@dataclass(frozen=True, slots=True)
class Grant:
    """Permission and use of it."""

    statements: tuple[Document, ...]
    uses: tuple[Use, ...]


Need = Callable[[Site], Grant]


def secret(name: str, mean: float = 1.5) -> Need:
    """Reads one secret, which Secrets Manager decrypts with the account's key."""

    def at(site: Site) -> Grant:
        full = f"{site.environment}/{name}"
        suffix = base32(6, site.seed, full).lower()
        of = {"secret": f"{full}-{suffix}", "kms": site.key("secrets"), "owner": site.account.account_id}
        return Grant(
            (
                allow(["secretsmanager:GetSecretValue"], [site.arn("secretsmanager", f"secret:{full}-??????")]),
                allow(["kms:Decrypt"], [site.key_arn("secrets")]),
            ),
            (
                Use("secretsmanager:GetSecretValue", mean, of),
                Use("kms:Decrypt#secret", mean, of, via="secretsmanager.amazonaws.com"),
            ),
        )

    return at


def parameters(path: str, mean: float = 1.0) -> Need:
    """Reads the parameters below a path."""

    def at(site: Site) -> Grant:
        full = f"/{site.environment}/{path}"
        of = {"parameter": f"{full}/config", "path": full, "kms": site.key("secrets"), "owner": site.account.account_id}
        return Grant(
            (
                allow(
                    ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
                    [site.arn("ssm", f"parameter{full}"), site.arn("ssm", f"parameter{full}/*")],
                ),
                allow(["kms:Decrypt"], [site.key_arn("secrets")]),
            ),
            (
                Use("ssm:GetParametersByPath", mean, of),
                Use("ssm:GetParameter", mean * 0.6, of),
                Use("kms:Decrypt#parameter", mean * 0.8, of, via="ssm.amazonaws.com"),
            ),
        )

    return at


def reads(bucket: str, key: str, mean: float = 2.0) -> Need:
    """Reads objects of a bucket of this environment."""

    def at(site: Site) -> Grant:
        name = site.bucket(bucket)
        of = {"bucket": name, "key": key, "prefix": key.split("/", 1)[0] + "/"}
        of |= {"kms": site.key("data"), "owner": site.account.account_id}
        return Grant(
            (
                allow(["s3:GetObject"], [f"arn:aws:s3:::{name}/*"]),
                allow(["s3:ListBucket"], [f"arn:aws:s3:::{name}"]),
                allow(["kms:Decrypt"], [site.key_arn("data")]),
            ),
            (
                Use("s3:GetObject", mean, of),
                Use("s3:ListObjects", mean * 0.2, of),
                Use("kms:Decrypt#s3", mean * 0.15, of, via="s3.amazonaws.com"),
            ),
        )

    return at


def writes(bucket: str, key: str, mean: float = 2.0) -> Need:
    """Writes objects to a bucket of this environment."""

    def at(site: Site) -> Grant:
        name = site.bucket(bucket)
        of = {"bucket": name, "key": key, "prefix": key.split("/", 1)[0] + "/"}
        of |= {"kms": site.key("data"), "owner": site.account.account_id}
        return Grant(
            (
                allow(["s3:PutObject"], [f"arn:aws:s3:::{name}/*"]),
                allow(["kms:GenerateDataKey", "kms:Decrypt"], [site.key_arn("data")]),
            ),
            (
                Use("s3:PutObject", mean, of),
                Use("kms:GenerateDataKey", mean * 0.15, of, via="s3.amazonaws.com"),
                Use("kms:Decrypt#s3", mean * 0.05, of, via="s3.amazonaws.com"),
            ),
        )

    return at


def reads_across(account: str, bucket: str, key: str, mean: float = 3.0, refusal: Refusal | None = None) -> Need:
    """Reads objects of a bucket that belongs to another account, encrypted with that account's key."""

    def at(site: Site) -> Grant:
        owner = Site(site.company.account(account), site.company)
        name = owner.bucket(bucket)
        other = owner.account.account_id
        of = {"bucket": name, "key": key, "kms": owner.key("data"), "owner": other}
        return Grant(
            (
                allow(["s3:GetObject"], [f"arn:aws:s3:::{name}/*"]),
                allow(["kms:Decrypt"], [owner.key_arn("data")]),
            ),
            (
                Use("s3:GetObject", mean, of, refusal, shared_with=other),
                Use("kms:Decrypt#s3", mean * 0.3 if refusal is None else 0, of, None, "s3.amazonaws.com", None, other),
            ),
        )

    return at


def table(name: str, *, write: bool = True, mean: float = 4.0) -> Need:
    """Reads, and writes, items of a table: data events, which only some accounts log."""

    def at(site: Site) -> Grant:
        full = f"{name}-{site.environment}"
        of = {"table": full}
        actions = ["dynamodb:GetItem", "dynamodb:Query"]
        uses = [Use("dynamodb:GetItem", mean, of), Use("dynamodb:Query", mean * 0.5, of)]
        if write:
            actions += ["dynamodb:PutItem", "dynamodb:UpdateItem"]
            uses += [Use("dynamodb:PutItem", mean * 0.4, of), Use("dynamodb:UpdateItem", mean * 0.3, of)]
        arn = site.arn("dynamodb", f"table/{full}")
        return Grant((allow(actions, [arn, f"{arn}/index/*"]),), tuple(uses))

    return at


def queue(name: str, mean: float = 0.4) -> Need:
    """Consumes a queue; the messages themselves are data events that nobody logs here."""

    def at(site: Site) -> Grant:
        of = {"queue": f"{name}-{site.environment}"}
        return Grant(
            (
                allow(
                    [
                        "sqs:ReceiveMessage",
                        "sqs:DeleteMessage",
                        "sqs:ChangeMessageVisibility",
                        "sqs:GetQueueAttributes",
                        "sqs:GetQueueUrl",
                    ],
                    [site.arn("sqs", of["queue"])],
                ),
            ),
            (Use("sqs:GetQueueUrl", mean, of), Use("sqs:GetQueueAttributes", mean, of)),
        )

    return at


def sends(queue_name: str, mean: float = 0.4) -> Need:
    """Sends to a queue."""

    def at(site: Site) -> Grant:
        of = {"queue": f"{queue_name}-{site.environment}"}
        return Grant(
            (allow(["sqs:SendMessage", "sqs:GetQueueUrl"], [site.arn("sqs", of["queue"])]),),
            (Use("sqs:GetQueueUrl", mean, of),),
        )

    return at


def publishes(topic: str) -> Need:
    """Publishes to a topic: not logged here at all."""

    def at(site: Site) -> Grant:
        return Grant((allow(["sns:Publish"], [site.arn("sns", f"{topic}-{site.environment}")]),), ())

    return at


def emits(bus: str) -> Need:
    """Puts events on a bus: not logged here at all."""

    def at(site: Site) -> Grant:
        return Grant((allow(["events:PutEvents"], [site.arn("events", f"event-bus/{bus}")]),), ())

    return at


def starts(machine: str, mean: float = 1.5) -> Need:
    """Starts executions of a state machine."""

    def at(site: Site) -> Grant:
        of = {"machine": f"{machine}-{site.environment}"}
        return Grant(
            (
                allow(["states:StartExecution"], [site.arn("states", f"stateMachine:{of['machine']}")]),
                allow(["states:DescribeExecution"], [site.arn("states", f"execution:{of['machine']}:*")]),
            ),
            (Use("states:StartExecution", mean, of), Use("states:DescribeExecution", mean * 0.5, of)),
        )

    return at


def invokes(function: str, mean: float = 3.0) -> Need:
    """Invokes a function: a data event, logged in the payments account only."""

    def at(site: Site) -> Grant:
        of = {"function": f"{function}-{site.environment}"}
        return Grant(
            (allow(["lambda:InvokeFunction"], [site.arn("lambda", f"function:{of['function']}")]),),
            (Use("lambda:Invoke", mean, of),),
        )

    return at


def encrypts(alias: str, application: str, mean: float = 4.0, *, sign: bool = False) -> Need:
    """Uses a key directly: card data, signatures."""

    def at(site: Site) -> Grant:
        of = {"kms": site.key(alias), "owner": site.account.account_id, "application": application}
        actions = ["kms:Decrypt", "kms:Encrypt"] + (["kms:Sign"] if sign else [])
        uses = [Use("kms:Decrypt", mean, of), Use("kms:Encrypt", mean * 0.5, of)]
        if sign:
            uses.append(Use("kms:Sign", mean, of))
        return Grant((allow(actions, [site.key_arn(alias)]),), tuple(uses))

    return at


def catalogue_tables(database: str, names: str, mean: float = 3.0, *, write: bool = False) -> Need:
    """Reads, and writes, the data catalogue of the lake."""

    def at(site: Site) -> Grant:
        of = {"database": database, "glue_table": names}
        actions = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"]
        uses = [Use("glue:GetTable", mean, of), Use("glue:GetPartitions", mean * 0.7, of)]
        uses.append(Use("glue:GetDatabase", mean * 0.3, of))
        if write:
            actions += ["glue:BatchCreatePartition", "glue:UpdateTable"]
            uses += [Use("glue:BatchCreatePartition", mean * 0.4, of), Use("glue:UpdateTable", mean * 0.1, of)]
        arns = [site.arn("glue", "catalog"), site.arn("glue", f"database/{database}")]
        return Grant((allow(actions, [*arns, site.arn("glue", f"table/{database}/*")]),), tuple(uses))

    return at


def queries(work_group: str, database: str, mean: float = 2.0) -> Need:
    """Runs Athena queries in one work group."""

    def at(site: Site) -> Grant:
        of = {"work_group": work_group, "database": database}
        actions = ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"]
        return Grant(
            (allow([*actions, "athena:GetWorkGroup"], [site.arn("athena", f"workgroup/{work_group}")]),),
            (
                Use("athena:StartQueryExecution", mean, of),
                Use("athena:GetQueryExecution", mean * 2, of),
                Use("athena:GetQueryResults", mean, of),
            ),
        )

    return at


def refused_calls(refusal: Refusal, *names: str, mean: float = 0.2, **of: str) -> Need:
    """Tries what some layer refuses; where no identity policy allows it there is no statement, either."""

    def at(site: Site) -> Grant:
        given = {name: _filled(value, {"<env>": site.environment}) for name, value in of.items()}
        return Grant((), tuple(Use(name, mean, given, refusal) for name in names))

    return at


def calls(*names: str, mean: float = 1.0, on: str = "*", also: tuple[str, ...] = (), **of: str) -> Need:
    """Calls actions on one resource pattern; `also` are granted and never called."""

    def at(site: Site) -> Grant:
        actions = list(dict.fromkeys([action_of(name) for name in names] + list(also)))
        pattern = on.replace("<account>", site.account.account_id)
        places = {"<env>": site.environment, "<registry>": site.company.account("shared-services").account_id}
        given = {name: _filled(value, places) for name, value in of.items()}
        return Grant((allow(actions, pattern),), tuple(Use(name, mean, given) for name in names))

    return at


def _filled(value: str, names: dict[str, str]) -> str:
    for place, known in names.items():
        value = value.replace(place, known)
    return value
