"""Ardenly, an invented homeware marketplace with a payments arm: its accounts, its people, its places.

Founded as "Lumenbasket" (names that begin with `lb-` are that old), renamed in 2019, moved to Identity Center in 2022
and to permissions boundaries in 2024; in this year it bought the courier start-up Parcelkite.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from analytics.demo.model import Account, digits, hexadecimal

DOMAIN = "ardenly.example"
HOME = "eu-west-1"
REGIONS = ("eu-west-1", "eu-central-1", "us-east-1")
OFFICES_OF_PARCELKITE = ("203.0.113.187",)

# name, unit, environment, owning team, cost centre, joined, invited
_ACCOUNTS = (
    ("ardenly-management", "Root", "management", "platform", "CC-1000", "2019-03-11", False),
    ("log-archive", "Security", "security", "security", "CC-1310", "2021-06-02", False),
    ("security-tooling", "Security", "security", "security", "CC-1310", "2021-06-02", False),
    ("payments-prod", "Payments", "production", "payments", "CC-2110", "2020-02-17", False),
    ("storefront-prod", "Retail", "production", "storefront", "CC-2120", "2019-03-11", False),
    ("fulfilment-prod", "Retail", "production", "fulfilment", "CC-2130", "2020-09-28", False),
    ("data-platform-prod", "Prod", "production", "data", "CC-2210", "2021-01-19", False),
    ("shared-services", "Prod", "production", "platform", "CC-1000", "2020-02-17", False),
    ("payments-staging", "NonProd", "staging", "payments", "CC-2110", "2020-02-17", False),
    ("storefront-staging", "NonProd", "staging", "storefront", "CC-2120", "2020-02-17", False),
    ("data-platform-dev", "NonProd", "development", "data", "CC-2210", "2021-01-19", False),
    ("sandbox-engineering", "Sandbox", "sandbox", "platform", "CC-1000", "2022-04-04", False),
    ("parcelkite-production", "Onboarding", "production", "fulfilment", "CC-2130", "2025-12-01", True),
)

# unit, its parent; in the order in which the tree is printed
UNITS = (
    ("Prod", "Root"),
    ("Payments", "Prod"),
    ("Retail", "Prod"),
    ("NonProd", "Root"),
    ("Security", "Root"),
    ("Sandbox", "Root"),
    ("Onboarding", "Root"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works there; `email` is the session name that Identity Center gives."""

    name: str
    team: str
    title: str

    @property
    def email(self) -> str:
        """Sign-in name."""
        return f"{self.name.lower().replace(' ', '.')}@{DOMAIN}"


PEOPLE = tuple(
    Person(*row)
    for row in (
        ("Niamh Brennan", "platform", "Head of Platform"),
        ("Tomasz Wrona", "platform", "Principal Engineer"),
        ("Lena Hoffmann", "platform", "Site Reliability Engineer"),
        ("Oisin Daly", "platform", "Cloud Engineer"),
        ("Farah Siddiqui", "platform", "Network Engineer"),
        ("Jonas Reuter", "security", "Security Lead"),
        ("Aoife Keane", "security", "Security Engineer"),
        ("Mateus Ribeiro", "security", "Detection Engineer"),
        ("Ingrid Solberg", "payments", "Engineering Manager"),
        ("Karim Haddad", "payments", "Senior Engineer"),
        ("Yuki Tanabe", "payments", "Engineer"),
        ("Peadar Nolan", "payments", "Engineer"),
        ("Marta Kowalczyk", "payments", "Database Engineer"),
        ("Samuel Okafor", "storefront", "Engineering Manager"),
        ("Clara Lindqvist", "storefront", "Senior Engineer"),
        ("Dmitri Petrov", "storefront", "Engineer"),
        ("Roisin Walsh", "storefront", "Engineer"),
        ("Hannah Weiss", "storefront", "Engineer"),
        ("Luca Ferraro", "fulfilment", "Engineering Manager"),
        ("Eszter Nagy", "fulfilment", "Engineer"),
        ("Cian Murphy", "fulfilment", "Engineer"),
        ("Priya Raman", "data", "Head of Data"),
        ("Bram de Vries", "data", "Data Engineer"),
        ("Sofia Marin", "data", "Data Engineer"),
        ("Elif Aydin", "data", "Analyst"),
        ("Ruairi Quinn", "data", "Analyst"),
        ("Chiara Conti", "data", "Machine Learning Engineer"),
        ("Fiona Gallagher", "support", "Support Lead"),
        ("Mehmet Kaya", "support", "Support Engineer"),
        ("Anja Krause", "support", "Support Engineer"),
        ("Declan Byrne", "finance", "FinOps Analyst"),
        ("Valerie Dubois", "finance", "Controller"),
    )
)


def team(name: str) -> tuple[Person, ...]:
    """The people of one team."""
    return tuple(person for person in PEOPLE if person.team == name)


def team_mail(name: str) -> str:
    """The mailbox of a team, as it stands in `owner` tags."""
    return f"{name}@{DOMAIN}"


@dataclass(frozen=True, slots=True)
class Company:
    """What a seed decides once: identifiers of accounts, units and the organisation."""

    seed: int
    accounts: tuple[Account, ...]

    @classmethod
    def of(cls, seed: int) -> Company:
        """The company whose identifiers follow from the seed."""
        return cls(
            seed,
            tuple(
                Account(
                    digits(12, seed, "account", name),
                    name,
                    unit,
                    environment,
                    team_mail(owner),
                    cost_centre,
                    date.fromisoformat(joined),
                    invited,
                )
                for name, unit, environment, owner, cost_centre, joined, invited in _ACCOUNTS
            ),
        )

    def account(self, name: str) -> Account:
        """The account of that name."""
        return next(account for account in self.accounts if account.name == name)

    @property
    def management(self) -> Account:
        """The organisation's management account."""
        return self.accounts[0]

    @property
    def organization_id(self) -> str:
        """The organisation's id: `o-` and ten characters."""
        return f"o-{hexadecimal(10, self.seed, 'organisation')}"

    @property
    def root_id(self) -> str:
        """The root's id: `r-` and four characters."""
        return f"r-{hexadecimal(4, self.seed, 'root')}"

    def unit_id(self, unit: str) -> str:
        """The id of an organisational unit, or of the root."""
        if unit == "Root":
            return self.root_id
        return f"ou-{self.root_id[2:]}-{hexadecimal(8, self.seed, 'unit', unit)}"

    def names(self) -> dict[str, str]:
        """What may stand in angle brackets in the policy files: accounts by name, and the organisation."""
        return {account.name: account.account_id for account in self.accounts} | {
            "organization-id": self.organization_id
        }
