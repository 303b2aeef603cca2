"""Everything that exists in the sample, put together: the company, its identities, groups and policies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from analytics.demo.applications import APPLICATIONS
from analytics.demo.company import Company
from analytics.demo.grants import Site
from analytics.demo.history import Story, apply_present, as_of, changes, new_in_playground, service_accounts
from analytics.demo.leftovers import leftovers, parcelkite
from analytics.demo.model import Calendar, Identity
from analytics.demo.planted import planted
from analytics.demo.platform import baseline, boundaries, hubs, linked, pipelines
from analytics.demo.snapshot import Estate
from analytics.demo.users import groups, users
from analytics.demo.vendors import outsiders, vendors
from analytics.demo.workforce import permission_sets
from analytics.demo.workloads import roles_of


@dataclass(frozen=True, slots=True)
class World:
    """The company and all that it ever had during the activity."""

    company: Company
    calendar: Calendar
    identities: tuple[Identity, ...]  # of IAM, deleted ones and those of the uncollected account included
    others: tuple[Identity, ...]  # in the logs only: AWS services, callers of foreign accounts, root

    def estate(self, at: date) -> Estate:
        """What IAM held at the end of a day."""
        identities = as_of(self.identities, changes(self.company, self.calendar), at)
        return Estate(self.company, self.calendar, identities, groups(self.company), boundaries(self.company))


def make_world(seed: int, until: date) -> World:
    """The world that follows from a seed and a last day."""
    company, calendar = Company.of(seed), Calendar(until)
    found: list[Identity] = []
    for application in APPLICATIONS:
        for name in application.accounts:
            found += roles_of(application, Site(company.account(name), company))
    found += planted(company, calendar)
    found += permission_sets(company, calendar)
    found += hubs(company)
    for account in company.accounts:
        if not account.invited:
            found += baseline(company, account)
            found += linked(company, account)
    found += pipelines(company)
    found += vendors(company)
    found += leftovers(company)
    found += users(company)
    found += parcelkite(company)
    found.append(new_in_playground(company, calendar))
    apply_present(company, calendar, found)
    roots = Story(company, calendar, found).tell()
    others = [*roots, *outsiders(company), *service_accounts(company)]
    return World(company, calendar, tuple(found), tuple(others))
