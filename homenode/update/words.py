"""Why an update is where it is, in Swedish and English (pure)."""

from __future__ import annotations

from collections.abc import Mapping

Why = Mapping[str, str]

_SENTENCES: dict[str, tuple[str, str]] = {
    "": ("", ""),
    "clock": ("klockan är inte ställd", "the clock is not set"),
    "not_before": ("får inte börja än", "may not begin yet"),
    "window": ("väntar på tiden {window}", "waits for the hours {window}"),
    "busy": ("hemmet är upptaget", "the home is busy"),
    "deaf": ("noden svarar inte, så ingen vet om den är upptagen",
             "the node doesn't answer, so nobody knows whether it is busy"),
    "settles": ("noden har just startat", "the node has just started"),
    "link": ("länken är nere, så ingen kan pröva den sedan", "the link is down, so nobody could prove it"),
    "loading": ("hämtas", "is being loaded"),
    "cut": ("hämtningen bröts ({more}) och går vidare senare", "loading was cut ({more}) and goes on later"),
    "gone": ("servern ger inte filen: {more}", "the server doesn't give the file: {more}"),
    "sum": ("filen är inte den som beställdes (SHA-256)", "the file is not the ordered one (SHA-256)"),
    "large": ("filen är större än {more} byte", "the file is larger than {more} bytes"),
    "room": ("filen får inte plats: {more} byte saknas", "there is no room: {more} bytes are missing"),
    "disk": ("filen kan inte skrivas: {more}", "the file can't be written: {more}"),
    "same": ("{version} är redan igång", "{version} is running already"),
    "older": ("{version} är inte nyare än {highest}, som redan har varit igång",
              "{version} is not later than {highest}, which has run here"),
    "exception": ("undantaget gäller inte: {more}", "the exception doesn't hold: {more}"),
    "version": ("filen innehåller {more}, inte {version}", "the file holds {more} and not {version}"),
    "board": ("filen är för en annan sorts nod: {more}", "the file is for another kind of node: {more}"),
    "signature": ("filens signatur godtas inte: {more}", "the file's signature is not accepted: {more}"),
    "rauc": ("RAUC: {more}", "RAUC: {more}"),
    "installing": ("skrivs till den andra platsen", "is being written to the other slot"),
    "rebooting": ("startar om till {version}", "restarts into {version}"),
    "begun": ("{version} går på prov", "{version} is on trial"),
    "trying": ("{version} går på prov: {more}", "{version} is on trial: {more}"),
    "good": ("{version} är bevisat bra", "{version} has proved good"),
    "cancelled": ("avbeställd av {more}", "cancelled by {more}"),
    "bad": ("{version} dög inte: {more}", "{version} failed its proof: {more}"),
    "restarts": ("{version} startade om {more} gånger på prov", "{version} restarted {more} times on trial"),
    "deadline": ("{version} gav inga livstecken inom {more} min",
                 "{version} gave no sign of life within {more} min"),
    "never": ("{version} startade aldrig så långt att något kunde skrivas ner",
              "{version} never started so far that anything could be written down"),
    "hung": ("{version} startade {more} gånger och slutade utan att säga varför (hängde, eller strömlös)",
             "{version} started {more} times and ended without saying why (it hung, or the power was cut)"),
    "worn": ("{version} går inte att starta längre (plats {more}): versionen före är igång",
             "{version} does not start any more (slot {more}): the version before runs"),
    "unproved": ("det som finns i plats {more} startade, men har aldrig bevisats bra",
                 "what is in slot {more} was started, and has never proved good"),
    "alone": ("den andra platsen startar inte, så den får vara kvar",
              "the other slot does not start, so it stays"),
    "lost": ("ingen minns vad {version} skulle bevisa: det som sparades är borta eller oläsligt",
             "nobody remembers what {version} had to prove: what was kept is gone or not readable"),
    # what a proof lacks
    "no_answer": ("noden svarar inte", "the node does not answer"),
    "crashes": ("noden startar om och om igen", "the node starts again and again"),
    "configuration": ("home.yaml läses inte", "home.yaml is not read"),
    "rules": ("regler saknas: {more}", "rules are missing: {more}"),
    "data": ("data: {more}", "data: {more}"),
    "radio": ("radion är inte igång: {more}", "the radio is not up: {more}"),
    "broker": ("meddelandekön har inte kvitterat något", "the broker has acknowledged nothing"),
    "away": ("ingen svarar där meddelandekön ska finnas", "nobody answers where the broker should be"),
    "mains": ("nätdrivna enheter hörs inte: {more}", "mains-powered devices are not heard: {more}"),
    "battery": ("för få batterienheter hörs: {more}", "too few battery devices are heard: {more}"),
    "young": ("har gått för kort tid", "has not run for long enough"),
    "waits": ("enheter inväntas", "devices are waited for"),
}  # fmt: skip


def why(code: str, **facts: object) -> dict[str, str]:
    """The sentence of a code, with its facts."""
    swedish, english = _SENTENCES[code]
    return {"sv": swedish.format(**facts), "en": english.format(**facts)}


def joined(*whys: Why) -> dict[str, str]:
    """Several sentences as one."""
    return {language: "; ".join(one[language] for one in whys) for language in ("sv", "en")}
