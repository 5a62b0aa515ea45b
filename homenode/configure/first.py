"""The first configuration of a box, which enrolment gets from the office: taken as any other."""

from __future__ import annotations

from pathlib import Path

from homenode.config.registry import driver_types
from homenode.configure import place
from homenode.configure.facts import blank
from homenode.configure.kept import follows, remember
from homenode.configure.payload import HOME_YAML
from homenode.configure.taking import Offer, allowed, changed, offered, understood


def first(beside: Path, data: Path, jws: str, home: str, trust: Path | None = None) -> Offer:
    """Put it beside the box's key and certificate; who signs must be known before.

    Where care has no key, the operator's word is taken for all of it, as a person's at the box would be:
    the keys come from the same office as this.

    Args:
        beside: Where home.yaml will be. The node does not run.
        data: The node's.
        home: The home that the box's certificate is for.
        trust: Folder with the keys of who signs, if it isn't the usual one.

    Raises:
        Mistaken: It has mistakes.
        Refused: It isn't signed by whom it has to be, is for another home, or older than one that was taken.
        SetupError: The keys in ``trust/`` can't be read.
        OSError: The disk doesn't take it; what was there stays.
    """
    offer = offered(jws, beside, home, trust)
    new = offer.configuration
    now = follows(data, beside, new)
    report = understood(offer, beside / HOME_YAML, driver_types())
    found = [one for one in changed(blank(beside), report) if one.signer in offer.trusted]
    allowed(found, offer.parties, offer.trusted, offer.signers, strange=offer.strange)
    there = place.configured(beside)
    if there is not None and now is not None and now.configuration == new:
        place.go_to(beside, there)  # the power went before home.yaml was there
    else:  # what is there may be another home's
        place.put(beside, place.name_for(beside, new.number), new.files, offer.jws)
    remember(data, new)
    return offer
