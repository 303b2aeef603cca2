"""The guardrail matrix: what each layer of policy does about each risk scenario, at every node, account and identity.

The rules of a cell stand in the head of `data/reference/guardrail_scenarios.yaml`; docs/METHOD.md says how each is
decided. INVARIANTS: a deny more never makes a cell worse, a covered OU covers its accounts, and what was not collected
is unknown.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from analytics.engine.decide_policy import Compiler
from analytics.findings.guardrails.ask import Asker
from analytics.findings.guardrails.best import best_of, together_of, with_others
from analytics.findings.guardrails.control import ControlLayer, Placing
from analytics.findings.guardrails.holders import HOLDERS, HeldLayer
from analytics.findings.guardrails.probes import is_about_strangers
from analytics.findings.guardrails.use import Group, UseCounter
from analytics.findings.guardrails.values import (
    CLOSED,
    LAYERS,
    RANK,
    Cell,
    GuardrailSettings,
    Layer,
    LeftOut,
    State,
    Stated,
    known_lists,
)
from analytics.iam.names import PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analytics.findings.estate import Estate, Subject
    from analytics.findings.guardrails.control import Found
    from analytics.findings.guardrails.holders import Kind
    from analytics.findings.guardrails.scenarios import Scenario
    from analytics.findings.guardrails.use import Use

__all__ = ["Cell", "GuardrailError", "GuardrailSettings", "Guardrails", "Layer", "LeftOut", "State", "Stated"]


class GuardrailError(ValueError):
    """A target that the matrix does not have; the message says what can be named."""


class Guardrails:
    """The matrix of one estate."""

    def __init__(
        self,
        estate: Estate,
        scenarios: Sequence[Scenario],
        settings: GuardrailSettings,
        *,
        like: Guardrails | None = None,
    ) -> None:
        """`like`: a matrix of the same scenarios and settings: what identities' own policies do is known from it."""
        self.estate = estate
        self.scenarios = tuple(scenarios)
        asker, compiler = Asker(estate.catalogue, settings, known_lists(settings.lists, estate)), Compiler()
        self._placing = Placing(estate)
        self._control = {
            layer: ControlLayer(estate, layer.value, self._placing, asker, compiler) for layer in (Layer.SCP, Layer.RCP)
        }
        self._held: dict[Layer, HeldLayer] = (
            like._held  # noqa: SLF001  of its own class
            if like
            else {layer: HeldLayer(layer.value, asker, compiler) for layer in (Layer.BOUNDARY, Layer.IDENTITY)}
        )
        self._use = UseCounter(self.scenarios, estate.catalogue)
        self._by_account: dict[str, list[Subject]] = {}
        for subject in estate.subjects.values():
            if subject.kind in HOLDERS:
                self._by_account.setdefault(subject.account_id, []).append(subject)
        self._kinds: dict[tuple[Layer, str], Counter[Kind]] = {}
        self._uses: dict[str, Counter[Use]] = {}
        self._cells: dict[str, tuple[Cell, ...]] = {}

    @property
    def targets(self) -> tuple[str, ...]:
        """Root, OUs and accounts, parents first, then accounts with identities outside the organisation."""
        outside = (one for one in self._by_account if one not in self.estate.nodes)
        return (*self.estate.nodes, *sorted(outside))

    def cells(self, target: str) -> tuple[Cell, ...]:
        """Every cell of a node, account or identity (by ARN), scenario by scenario, the best of its layers last.

        GuardrailError for any other target. Found once: each draft is compared with them.
        """
        found = self._cells.get(target)
        if found is None:
            found = self._cells[target] = tuple(self._all_of(target))
        return found

    def _all_of(self, target: str) -> Iterator[Cell]:
        subject = self.estate.subjects.get(target)
        if subject is None and target not in self.estate.nodes and target not in self._by_account:
            raise GuardrailError(
                f"there is no target `{target}` in the build; name the id of a root, an OU or an account, "
                "or the ARN of a role or user"
            )
        is_whole = subject is not None or not self._not_collected(target)
        group = Group(self._uses_of(target), is_whole=is_whole)
        for scenario in self.scenarios:
            yield from self._of(scenario, target, subject, group)

    def matrix(self) -> Iterator[Cell]:
        """Every cell of every node and account."""
        for target in self.targets:
            yield from self.cells(target)

    def _of(self, scenario: Scenario, target: str, subject: Subject | None, group: Group) -> Iterator[Cell]:
        kind = _kind_of(subject) if subject else self._node_kind(target)
        cells, closing = [], []
        for layer in LAYERS:
            found = self._found(scenario, target, subject, layer)
            closing.append(found.closed)
            can, did = self._counts(scenario, found, group)
            cells.append(
                Cell(
                    scenario.id,
                    target,
                    kind,
                    layer,
                    found.state,
                    found.statements,
                    found.missing,
                    found.exemptions,
                    self._note(scenario, target, layer, found),
                    principals=found.principals,
                    stopped=found.stopped,
                    can_act=can,
                    did_act=did,
                    open_actions=found.open,
                )
            )
        closed = [cell for cell in cells if cell.state in CLOSED]
        if len(closed) == 1:
            cells = [replace(cell, single_layer=cell is closed[0]) for cell in cells]
        yield from cells
        best, together = best_of(cells), together_of(scenario, cells, closing)
        if together is not None and RANK[together.state] > RANK.get(best.state, 0):
            can, did = self._counts(scenario, together, group)
            best = with_others(best, together, can, did)
        yield best

    def _counts(self, scenario: Scenario, found: Found, group: Group) -> tuple[int | None, int | None]:
        """Who can act and who did; nobody counts root users and strangers, and without a question there is no answer.

        Whom the policies spare by name does not act through a gap: an action stopped for all others is not open.
        """
        if scenario.principal == "root_user" or is_about_strangers(scenario):
            return None, None
        if found.open:
            return group.counts(self._use.mask(found.open))
        return (0, 0) if found.state is State.COVERED else (None, None)

    def _found(self, scenario: Scenario, target: str, subject: Subject | None, layer: Layer) -> Found:
        if layer in self._control:
            control = self._control[layer]
            return control.found_of(scenario, subject) if subject else control.found(scenario, target)
        held = self._held[layer]
        if subject is not None:
            return held.found_of(scenario, subject)
        return held.found(scenario, self._kinds_of(layer, target), not_collected=self._not_collected(target))

    def _accounts(self, target: str) -> Sequence[str]:
        """The accounts in scope of a node, or the account itself."""
        node = self.estate.nodes.get(target)
        return self._placing.accounts[target] if node is not None and node.kind != "account" else (target,)

    def _not_collected(self, target: str) -> int:
        """Accounts in scope whose identities the snapshot lacks."""
        return sum(
            account not in self.estate.accounts or self.estate.accounts[account].collected != "ok"
            for account in self._accounts(target)
        )

    def _kinds_of(self, layer: Layer, target: str) -> Counter[Kind]:
        """How many identities of each kind the layer has to do with under a target."""
        found = self._kinds.get((layer, target))
        if found is None:
            held = self._held[layer]
            accounts = self._accounts(target)
            if tuple(accounts) == (target,):
                found = Counter(map(held.kind, self._by_account.get(target, ())))
            else:
                found = Counter()
                for account in accounts:
                    found.update(self._kinds_of(layer, account))
            self._kinds[layer, target] = found
        return found

    def _uses_of(self, target: str) -> Counter[Use]:
        found = self._uses.get(target)
        if found is None:
            subject = self.estate.subjects.get(target)
            accounts = self._accounts(target)
            if subject is not None:
                found = Counter((self._use.use(subject),))
            elif tuple(accounts) == (target,):
                found = Counter(map(self._use.use, self._by_account.get(target, ())))
            else:
                found = Counter()
                for account in accounts:
                    found.update(self._uses_of(account))
            self._uses[target] = found
        return found

    def _node_kind(self, target: str) -> str:
        node = self.estate.nodes.get(target)
        return node.kind if node is not None else "account"

    def _note(self, scenario: Scenario, target: str, layer: Layer, found: Found) -> str | None:
        """What the reader must know of the cell; a declarative policy is only ever a note."""
        notes = list(found.notes)
        node = self.estate.nodes.get(target)
        management = self.estate.management_account_id
        if node is not None and node.kind != "account" and self._is_above(target, management):
            notes.append(f"The management account {management} is out of scope.")
        if scenario.best_layer == "declarative" and layer is Layer.SCP:
            notes.append("An organisation declarative policy fits it best; the snapshot holds none.")
        return " ".join(notes) or None

    def _is_above(self, target: str, account_id: str | None) -> bool:
        return account_id is not None and target in self._placing.ancestors.get(account_id, ())


def _kind_of(subject: Subject) -> str:
    return "user" if subject.kind is PrincipalKind.USER else "role"
