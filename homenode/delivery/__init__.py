"""Who hears what when: transitions and faults in, messages for each party and local actions out (pure)."""

from homenode.delivery.evidence import Evidence
from homenode.delivery.faults import NodeFault
from homenode.delivery.outcome import Action, OfferVideo, Outcome, Say, Switch
from homenode.delivery.sharing import Sharing
from homenode.delivery.who_hears import Delivery

__all__ = ["Action", "Delivery", "Evidence", "NodeFault", "OfferVideo", "Outcome", "Say", "Sharing", "Switch"]
