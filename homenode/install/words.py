"""What the installer reads, in Swedish and English (pure)."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("sv", "en")

WORDS: Mapping[str, tuple[str, str]] = {
    # the report
    "report": ("Provningsprotokoll", "Acceptance report"),
    "home": ("Hem", "Home"),
    "tested": ("Provat", "Tested"),
    "by": ("av", "by"),
    "clock_untrusted": (
        "Nodens klocka var inte ställd: tiderna kan vara fel.",
        "The node's clock was not set: the times may be wrong.",
    ),
    "accepted": ("Godkänd: allt provat och kvitterat.", "Accepted: everything tested and acknowledged."),
    "not_accepted": ("Inte godkänd. Det här saknas:", "Not accepted. What is missing:"),
    "lacks_device": ("{name} är inte provad", "{name} is not tested"),
    "lacks_rule": (
        "larmet {name} är inte skickat, framme och kvitterat",
        "the alert {name} was not sent, delivered and acknowledged",
    ),
    "lacks_party": ("{name} har inte kvitterat något provlarm", "{name} has acknowledged no test alert"),
    "lacks_nobody": (
        "ingen regel larmar någon: ingenting lämnar hemmet",
        "no rule tells anybody: nothing leaves the home",
    ),
    "sensors": ("Enheter", "Devices"),
    "alerts": ("Larm", "Alerts"),
    "floor": ("Vad som sitter var", "What hangs where"),
    "room": ("Rum", "Room"),
    "name": ("Namn", "Name"),
    "what": ("Vad", "What"),
    "seen": ("Sett", "Seen"),
    "time": ("Tid", "Time"),
    "result": ("Resultat", "Result"),
    "passed": ("provad", "tested"),
    "untested": ("EJ PROVAD", "NOT TESTED"),
    "takes_time": ("tar tid, ej inväntad", "takes time, not awaited"),
    "stays_home": ("stannar i hemmet", "stays in the home"),
    "nothing_to_test": ("säger ingenting än", "says nothing yet"),
    "rule": ("Regel", "Rule"),
    "party": ("Till", "To"),
    "sent": ("Skickat", "Sent"),
    "arrived": ("Framme", "Delivered"),
    "acknowledged": ("Kvitterat", "Acknowledged"),
    "party_care": ("hemtjänst", "care"),
    "party_property": ("hyresvärd", "property"),
    "party_resident": ("boende", "resident"),
    "party_operator": ("driften", "operator"),
    "link": ("signal", "link"),
    "link_good": ("bra", "good"),
    "link_fair": ("går an", "fair"),
    "link_weak": ("svag", "weak"),
    "link_unknown": ("okänd", "unknown"),
    "link_wired": ("trådbunden", "wired"),
    "battery": ("batteri", "battery"),
    "signed": (
        "Undertecknat av noden, nyckel {fingerprint}. Prövas med: homenode install verify MAPP",
        "Signed by the node, key {fingerprint}. Verified by: homenode install verify FOLDER",
    ),
    "not_certified": (
        "Noden är ingen certifierad brandvarnare, spisvakt eller trygghetslarm och ersätter inget sådant.",
        "The node is no certified smoke alarm, stove guard or social alarm, and replaces none.",
    ),
    # what is wanted of a point
    "want_true": ("utlöst", "tripped"),
    "want_false": ("tillbaka", "back"),
    "want_on": ("på", "on"),
    "want_value": ("ett värde", "a value"),
    "want_press": ("tryckt", "pressed"),
    "want_works": ("fungerar", "works"),
    # the steps on a terminal
    "verified": (
        "Hel, och undertecknad med nyckeln {fingerprint}.",
        "Whole, and signed with the key {fingerprint}.",
    ),
    "verify_with": (
        "Nyckeln låg bredvid. Jämför den med nodens, som du har fått förut (--key FIL).",
        "The key lay beside it. Compare it with the node's, which you got before (--key FILE).",
    ),
    "verified_key": ("Det är den nyckel som du angav.", "It is the key that you named."),
    "refused": ("Gick inte: {why}", "Not done: {why}"),
    "unmarked": ("UTAN PROVMÄRKE", "NOT MARKED AS A TEST"),
    "devices_here": ("{n} enheter", "{n} devices"),
    "choose": ("Välj", "Choose"),
    "which": ("Vilken (Enter: ingen)", "Which (Enter: none)"),
    "which_or_none": (
        "Vilken ska den också vara med i (Enter: ingen)",
        "Which shall it serve, too (Enter: none)",
    ),
    "menu_open": ("Öppna nätet för nya enheter (4 min)", "Open the network for new devices (4 min)"),
    "menu_name": (
        "Ge en ny enhet namn och rum ({n} väntar)",
        "Give a new device its name and room ({n} wait)",
    ),
    "menu_place": ("Prova signalen där en enhet ska sitta", "Try the link where a device is to hang"),
    "menu_rules": ("Låt en enhet vara med i en regel", "Have a device serve a rule"),
    "menu_walk": ("Gångprov och protokoll", "Walk test and report"),
    "menu_replace": ("Byt ut en trasig enhet", "Replace a dead device"),
    "menu_end": ("Sluta, och stäng nätet", "End, and close the network"),
    "opened": (
        "Nätet är öppet i 4 minuter. Tryck på enhetens parkopplingsknapp; den dyker upp här.",
        "The network is open for 4 minutes. Press the pairing button of the device; it appears here.",
    ),
    "nobody_new": ("Ingen ny enhet väntar på namn.", "No new device waits for a name."),
    "rooms": ("Rum", "Rooms"),
    "room_or_not_ours": ("Rum (- om den inte är vår)", "Room (- if it is not ours)"),
    "is": (
        "Vad det är, som spis (Enter: inget särskilt)",
        "What it is, such as stove (Enter: nothing special)",
    ),
    "sure": ("Gör det ändå (j/n)", "Do it all the same (y/n)"),
    "hold": (
        "Håll {name} där den ska sitta och utlös den några gånger.",
        "Hold {name} where it is to hang, and trip it a few times.",
    ),
    "hold_again": ("Enter: hur det ser ut nu; k: klar", "Enter: how it looks now; d: done"),
    "heard_times": ("hörd {n} gånger här", "heard {n} times here"),
    "fits": ("{name} kan också vara med i:", "{name} could also serve:"),
    "replace_join": (
        "Nätet är öppet. Sätt den nya enheten, som ska heta {name}, i parkopplingsläge.",
        "The network is open. Put the new device, which shall be {name}, into pairing mode.",
    ),
    "enter_when_there": ("Enter när den har dykt upp; a: avbryt", "Enter when it has appeared; c: cancel"),
    "walk_again": (
        "Ett prov från {begun} är påbörjat: Enter fortsätter, n börjar ett nytt",
        "A test of {begun} has begun: Enter goes on with it, n begins a new one",
    ),
    "walk_begun": (
        "Hemmet är i serviceläge: larm går ut märkta som prov. Rök, CO och hjälpknapp går ut UTAN märke\n"
        "om de står kvar i 2 minuter. Utlös varje enhet; det som är provat bockas av.",
        "The home is in service mode: alerts go out marked as tests. Smoke, CO and the help button go out\n"
        "UNMARKED if they last 2 minutes. Trip every device; what is tested is ticked.",
    ),
    "walk_prompt": (
        "Enter: läget nu; o: prova en utgång; a: avsluta med protokoll; p: pausa",
        "Enter: how it stands; o: try an output; r: end with the report; p: pause",
    ),
    "left": ("Kvar", "Left"),
    "who": ("Ditt namn, för protokollet", "Your name, for the report"),
    "works": ("Slog {point} till (j/n)", "Did {point} turn on (y/n)"),
}


def say(key: str, language: str, **more: object) -> str:
    """The words for `key`, with what is to stand in them."""
    sv, en = WORDS[key]
    return (sv if language == "sv" else en).format(**more)
