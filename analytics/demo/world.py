"""Everything that exists in the sample, put together: the company, its identities, groups and policies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from analytics.demo.applications import APPLICATIONS
from analytics.demo.company import Company
from analytics.demo.grants import Site
from analytics.demo.model import Calendar, Identity
from analytics.demo.platform import baseline, boundaries, hubs, linked, pipelines
from analytics.demo.snapshot import Estate
from analytics.demo.users import groups, users
from analytics.demo.workforce import permission_sets
from analytics.demo.workloads import roles_of


@dataclass(frozen=True, slots=True)
class World:
    """The company and all that it ever had during the activity."""

    company: Company
    calendar: Calendar
    identities: tuple[Identity, ...]

    def estate(self, at: date) -> Estate:
        """What IAM held at the end of a day."""
        del at
        return Estate(self.company, self.calendar, self.identities, groups(self.company), boundaries(self.company))


def make_world(seed: int, until: date) -> World:
    """The world that follows from a seed and a last day."""
    company, calendar = Company.of(seed), Calendar(until)
    shared = company.account("shared-services")
    found: list[Identity] = []
    for application in APPLICATIONS:
        for name in application.accounts:
            found += roles_of(application, Site(company.account(name), shared, seed))
    found += permission_sets(company)
    found += hubs(company)
    for account in company.accounts:
        if not account.invited:
            found += baseline(company, account)
            found += linked(company, account)
    found += pipelines(company)
    found += users(company)
    return World(company, calendar, tuple(found))
