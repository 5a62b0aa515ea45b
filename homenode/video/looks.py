"""How a picture looks that leaves: what is wrong with the camera's is judged before, nothing is added after.

OpenCV is loaded only if something is to be done that needs it: it costs a fifth of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from homenode.video.clocks import on_the_wall
from homenode.video.offer import Form
from homenode.video.picture import Picture, planes
from homenode.video.stamp import stamp
from homenode.video.words import Unfit

if TYPE_CHECKING:
    from homenode.video.views import Silhouette

Step: TypeAlias = Callable[[Picture, int], Picture]
"""Given a picture and its instant, ms; most don't look at the latter."""
VIEWS = ("silhouette", "blurred", "clear")
"""Least first."""
MOST_MASKS, MOST_POINTS = 32, 64


class Looks:
    """Args:
    told: The gateway's ``start``.
    form: That the viewer's browser reads.

    Raises:
        Unfit: A view that there isn't, or a mask that is none: nothing may then be seen.
    """

    def __init__(self, told: Mapping[str, Any], form: Form) -> None:
        self._view, self._masks = str(told.get("view")), _polygons(told.get("masks", []))
        self._enhance = bool(told.get("enhance"))
        if self._view not in VIEWS:
            raise Unfit("source", f"view is one of {', '.join(VIEWS)}")
        self._zone = ZoneInfo(told["timezone"]) if told.get("timezone") else None
        self.form: Form = form
        self._wish = (self._view, self._masks, self._enhance, self._zone, form)
        self._steps: list[Step] | None = None
        self._silhouette: Silhouette | None = None
        self._plain = self._view == "clear" and not self._masks and not self._enhance
        self.as_it_is = self._plain and form == "h264"
        """What a camera has encoded can be passed on."""

    def like(self, other: Looks) -> bool:
        """Whether it makes the same of a picture: then the one that remembers more goes on."""
        return self._wish == other._wish

    def of(self, picture: Picture, nth: int, at_ms: int) -> Picture:
        """Made of the camera's picture of that instant, which is not kept."""
        if self._steps is None:
            self._steps = self._made(picture)
        for step in self._steps:
            picture = step(picture, at_ms)
        told = [on_the_wall(self._zone)]
        if self._silhouette is not None:
            stirred_ms = self._silhouette.stirred_ms
            told.append("^" + ("-:--" if stirred_ms is None else _passed(at_ms - stirred_ms)))
        stamp(picture, told, nth)
        return picture

    def _made(self, picture: Picture) -> list[Step]:
        """Masks come first, so that nothing behind one reaches a view, and last, so that one is black."""
        if self._plain:
            return []
        import cv2

        from homenode.video import views
        from homenode.video.darkness import Enhancement

        cv2.setNumThreads(1)  # the node has other things to do
        height, width = planes(picture)[0].shape
        masks: list[Step] = [views.Masks(self._masks, width, height)] if self._masks else []
        if self._view == "silhouette":
            self._silhouette = views.Silhouette()
            return [*masks, self._silhouette, *masks]
        enhanced: list[Step] = [Enhancement().of] if self._enhance else []
        blurred: list[Step] = [views.blurred] if self._view == "blurred" else []
        return [*masks, *enhanced, *blurred, *masks]


def _passed(ms: int) -> str:
    seconds = min(ms // 1000, 5999)
    return f"{seconds // 60}:{seconds % 60:02}"


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
