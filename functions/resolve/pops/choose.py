"""Choose: the POPs through which each distribution can be warmed, by its price class. Pure."""

from prewarm.catalogue import Catalogue
from prewarm.errors import InvalidRequest, Problem
from prewarm.planning.plan import Skipped
from prewarm.request.model import CheckedRequest
from resolve.distributions.price_class import outside_price_class
from resolve.pops.pairs import choose_pairs
from resolve.stages import Chosen, ChosenGroup, Matched, Targets

# How many POPs a warning lists.
POPS_IN_WARNING = 5
OUTSIDE_PRICE_CLASS = "outside_price_class"


def choose_pops(
    matched: Matched, request: CheckedRequest, catalogue: Catalogue, targets: Targets | None = None
) -> Chosen:
    """Return each distribution's POPs.

    Viewers are not sent to POPs outside a distribution's price class. Such POPs are skipped if a country or region
    selected them, and kept with a warning if the request names them. Pairs say themselves where viewers are.

    Raises:
        InvalidRequest: a country or region has no POP inside a distribution's price class.

    """
    if targets is not None:
        nearest = request.fields.nearest
        return Chosen(tuple(choose_pairs(group, targets, catalogue, nearest=nearest) for group in matched.groups))
    groups, warnings, problems = [], [], []
    for group in matched.groups:
        distribution = group.distribution
        outside = outside_price_class(distribution.price_class, request.pops, catalogue)
        if request.fields.kind == "pop":
            groups.append(ChosenGroup(distribution, group.urls, pops=tuple(request.pops), skipped=()))
            if outside:
                listed = ", ".join(list(outside)[:POPS_IN_WARNING])
                more = " and others" if len(outside) > POPS_IN_WARNING else ""
                price_class = f"{distribution.price_class}, which sends no viewers to {listed}{more}"
                reason = f"{len(outside)} POPs are warmed only because the request names them"
                warnings.append(f"{distribution.domain} has {price_class}: {reason}")
            continue
        pops = tuple(pop for pop in request.pops if pop not in outside)
        skipped = tuple(Skipped(pop, OUTSIDE_PRICE_CLASS, reason) for pop, reason in outside.items())
        if skipped and not pops and not request.places:
            problems.append(
                Problem(
                    "region",
                    f"{distribution.domain} has no POP there that serves viewers: {skipped[0].detail}; "
                    "choose another region, or name POPs (region_type pop) to warm them anyway",
                )
            )
        groups.append(ChosenGroup(distribution, group.urls, pops=pops, skipped=skipped))
    if problems:
        raise InvalidRequest(problems)
    return Chosen(tuple(groups), tuple(warnings))
