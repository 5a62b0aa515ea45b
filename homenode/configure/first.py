"""The first configuration of a box, which enrolment gets from the office: taken as any other."""

from __future__ import annotations

from pathlib import Path

from homenode.config.registry import driver_types
from homenode.configure import place
from homenode.configure.facts import blank
from homenode.configure.kept import highest, remember, running
from homenode.configure.payload import HOME_YAML
from homenode.configure.taking import Offer, allowed, changed, newer, offered, understood
from homenode.errors import Refused


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
    try:
        now = running(beside)
        half = now is not None and now.configuration == new  # the power went before home.yaml was there
        if not half:
            newer(new.number, highest(data, beside, home))
    except ValueError as error:
        raise Refused(f"which number was taken last can't be read: {error}") from error
    report = understood(offer, beside / HOME_YAML, driver_types())
    found = [one for one in changed(blank(beside), report) if one.signer in offer.trusted]
    allowed(found, offer.parties, offer.trusted)
    there = place.configured(beside)
    if half and there is not None:
        place.go_to(beside, there)
    else:  # what is there may be another home's, with this number
        name = str(new.number) if str(new.number) != there else f"{new.number}-{home}"
        place.put(beside, name, new.files, offer.jws)
    remember(data, new)
    return offer
