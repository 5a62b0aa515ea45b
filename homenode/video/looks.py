"""How a picture looks that leaves: what is wrong with the camera's is judged before, nothing is added after.

OpenCV is loaded only if something is to be done that needs it: it costs a fifth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from homenode.video.clocks import on_the_wall
from homenode.video.picture import Picture, planes
from homenode.video.stamp import stamp
from homenode.video.words import Unfit

VIEWS = ("silhouette", "blurred", "clear")
"""Least first."""
MOST_MASKS, MOST_POINTS = 32, 64


class Looks:
    """Args:
    told: The gateway's ``start``.

    Raises:
        Unfit: A view that there isn't, or a mask that is none: nothing may then be seen.
    """

    def __init__(self, told: Mapping[str, Any]) -> None:
        self._view, self._masks = str(told.get("view")), _polygons(told.get("masks", []))
        self._enhance = bool(told.get("enhance"))
        if self._view not in VIEWS:
            raise Unfit("source", f"view is one of {', '.join(VIEWS)}")
        self._zone = ZoneInfo(told["timezone"]) if told.get("timezone") else None
        self._wish = (self._view, self._masks, self._enhance, self._zone)
        self._steps: list[Callable[[Picture], Picture]] | None = None
        self.as_it_is = self._view == "clear" and not self._masks and not self._enhance
        """Nothing is to be changed."""

    def like(self, other: Looks) -> bool:
        """Whether it makes the same of a picture: then the one that remembers more goes on."""
        return self._wish == other._wish

    def of(self, picture: Picture, nth: int) -> Picture:
        """Made of the camera's picture, which is not kept."""
        if self._steps is None:
            self._steps = self._made(picture)
        for step in self._steps:
            picture = step(picture)
        stamp(picture, on_the_wall(self._zone), nth)
        return picture

    def _made(self, picture: Picture) -> list[Callable[[Picture], Picture]]:
        """Masks come first, so that nothing behind one reaches a view, and last, so that one is black."""
        if self.as_it_is:
            return []
        import cv2

        from homenode.video import views
        from homenode.video.darkness import Enhancement

        cv2.setNumThreads(1)  # the node has other things to do
        height, width = planes(picture)[0].shape
        masks = [views.Masks(self._masks, width, height)] if self._masks else []
        enhanced = [Enhancement(contrast=self._view != "silhouette").of] if self._enhance else []
        if self._view == "clear":
            return [*masks, *enhanced, *masks]
        view = views.Silhouette() if self._view == "silhouette" else views.blurred
        return [*masks, *enhanced, view, *masks]


def _polygons(masks: Any) -> Sequence[Sequence[tuple[float, float]]]:
    if not isinstance(masks, list) or len(masks) > MOST_MASKS:
        raise Unfit("source", f"masks are a list of at most {MOST_MASKS}")
    for polygon in masks:
        if not isinstance(polygon, list) or not 3 <= len(polygon) <= MOST_POINTS:
            raise Unfit("source", f"a mask has 3 to {MOST_POINTS} points")
        for point in polygon:
            if not isinstance(point, list) or len(point) != 2:
                raise Unfit("source", "a mask's point is [x, y]")
        if not all(isinstance(at, int | float) and 0 <= at <= 1 for at in chain.from_iterable(polygon)):
            raise Unfit("source", "a mask's points are within 0 and 1")
    return masks
