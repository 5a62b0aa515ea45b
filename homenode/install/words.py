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
    "signed_link": (
        "Också undertecknat med nodens nyckel för larmförbindelsen, certifikat {fingerprint}.",
        "Also signed with the node's key for the link, certificate {fingerprint}.",
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
    "verified_link": (
        "Också undertecknad med nyckeln för nodens certifikat {who}.",
        "Also signed with the key of the node's certificate {who}.",
    ),
    "verify_issuer": (
        "Vem som har utfärdat det är inte prövat (--ca FIL).",
        "Who issued it is not verified (--ca FILE).",
    ),
    "verified_issuer": ("Det är utfärdat av den som du angav.", "It was issued by whom you named."),
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
        "Enter: läget nu; o: prova en utgång; k: kommentar; a: avsluta med protokoll; p: pausa",
        "Enter: how it stands; o: try an output; c: comment; r: end with the report; p: pause",
    ),
    "remark": ("Kommentar", "Comment"),
    "remark_of": ("Kommentar till {name} (-: ingen)", "Comment on {name} (-: none)"),
    "left": ("Kvar", "Left"),
    "who": ("Ditt namn, för protokollet", "Your name, for the report"),
    "works": ("Slog {point} till (j/n)", "Did {point} turn on (y/n)"),
    # what was done, and what can't be
    "named": ("{name} är tillagd", "{name} is added"),
    "replaced": ("{name} har fått en ny enhet", "{name} has new hardware"),
    "replaced_other": (
        "{name} har fått en ny enhet av en annan modell: {new}, förut {old}",
        "{name} has new hardware of another model: {new}, formerly {old}",
    ),
    "rule_reads": ("{rule} använder nu {point}", "{rule} now reads {point}"),
    "report_written": ("Protokollet är skrivet: {folder}", "The report is written: {folder}"),
    "no_text": (
        "{field} är en text på högst {most} tecken.",
        "{field} is a text of at most {most} characters.",
    ),
    "no_arrival": (
        "Ingen ny enhet har adressen {address}: den kan ha fått namn, eller vara borta.",
        "No new device has the address {address}: it may have a name by now, or be gone.",
    ),
    "no_device": ("Det finns ingen enhet {name}.", "There is no device {name}."),
    "no_device_near": (
        "Det finns ingen enhet {name}. Menade du {near}?",
        "There is no device {name}. Did you mean {near}?",
    ),
    "no_room": ("Den behöver ett rum, som kök.", "It needs a room, such as kitchen."),
    "no_room_near": (
        "Det finns inget rum {room} än, men {near}. Är {room} ett annat rum?",
        "There is no room {room} yet, but there is {near}. Is {room} another room?",
    ),
    "no_name_taken": (
        "{name} finns redan, i {room}. Ge den här ett annat namn, som {free}.",
        "There is a {name} already, in {room}. Give this one another name, such as {free}.",
    ),
    "no_radio": (
        "Det går inte att se vilken radio som hörde den: skriv in {address} i home.yaml för hand.",
        "It can't be told which radio heard it: write {address} into home.yaml by hand.",
    ),
    "no_wired": (
        "{name} är trådbunden ({driver}): koppla den nya på samma trådar, ingenting behöver skrivas.",
        "{name} is wired ({driver}): put the new one on the same wires, nothing needs to be written.",
    ),
    "no_replacement": (
        "Den nya har {has}. Den saknar det som regler läser av {name}: {lacks}. De vet då ingenting av "
        "{name}: ta hellre en annan. Byta ändå?",
        "The new one has {has}. It lacks what rules read of {name}: {lacks}. They would know nothing of "
        "{name} then: better take another one. Replace it all the same?",
    ),
    "no_asked_yet": (
        "{address} tillfrågas ännu: vänta tills det står vad den är.",
        "{address} is still being asked: wait until it says what it is.",
    ),
    "no_which_radio": (
        "Hemmet har flera radior: välj en av {radios}.",
        "The home has several radios: choose one of {radios}.",
    ),
    "which_radio": ("Vid vilken radio (Enter: ingen)", "At which radio (Enter: none)"),
    "no_place": ("{rule} har ingen plats för {name}.", "{rule} has no place for {name}."),
    "no_walk": ("Inget gångprov är påbörjat.", "No walk test has begun."),
    "no_output": ("{point} är ingen utgång i provet.", "{point} is no output of the test."),
    "no_by": ("Protokollet behöver ditt namn.", "The report needs your name."),
    "no_still_open": (
        "{rules} står kvar, och går ut som riktigt larm när serviceläget slutar. Låt mottagaren kvittera, "
        "och vänta tills det är över. Avsluta ändå?",
        "{rules} is still open, and goes out as a real alert when service mode ends. Have the receiver "
        "acknowledge, and wait until it is over. End all the same?",
    ),
    "no_not_taken": (
        "Noden tog inte emot det, och home.yaml är som förut: {why}",
        "The node did not take it, and home.yaml is as before: {why}",
    ),
    # the server of the page
    "page_at": (
        "Öppna på telefonen: {url}/#{code}  (koden gäller en gång; varje telefon får sin egen)",
        "Open on the phone: {url}/#{code}  (the code is good for once; each phone gets its own)",
    ),
    "in_the_clear": (
        "Sidan är okrypterad: använd den bara på lägenhetens eget nät, och stäng av den efteråt.",
        "The page is not encrypted: use it on the flat's own network only, and end it afterwards.",
    ),
    "idle": ("Ingen använder sidan; den är stängd.", "Nobody uses the page; it is closed."),
    "enter_first": ("Ange koden först.", "Enter the code first."),
    "code_wrong": (
        "Fel kod, eller redan använd: nästa står i terminalen.",
        "Wrong code, or used already: the next one stands in the terminal.",
    ),
}

PAGE: Mapping[str, tuple[str, str]] = {
    "title": ("Installation", "Installation"),
    "code": ("Kod från terminalen", "Code from the terminal"),
    "enter": ("Fortsätt", "Go on"),
    "waiting": ("Frågar noden …", "Asking the node …"),
    "no_contact": (
        "Ingen kontakt med sidan. Allt som är gjort är kvar; den försöker igen.",
        "No contact with the page's server. All that was done is kept; it tries again.",
    ),
    "node_down": ("Noden svarar inte:", "The node does not answer:"),
    "radio_gone": ("Radion är borta:", "The radio is gone:"),
    "link_down": ("Ingen förbindelse med larmmottagaren.", "No link to the receivers."),
    "in_service": (
        "Serviceläge, {min} min kvar: larm går ut märkta som prov.",
        "Service mode, {min} min left: alerts go out marked as tests.",
    ),
    "steps": ("Steg", "Steps"),
    "tab_pair": ("Enheter", "Devices"),
    "tab_test": ("Prova", "Test"),
    "tab_report": ("Protokoll", "Report"),
    "open": ("Öppna nätet i 4 minuter", "Open the network for 4 minutes"),
    "open_now": (
        "Nätet är öppet: sätt enheten i parkopplingsläge.",
        "The network is open: put the device into pairing mode.",
    ),
    "open_replacing": (
        "Nätet är öppet: sätt den nya enheten, som ska heta {name}, i parkopplingsläge.",
        "The network is open: put the new device, which shall be {name}, into pairing mode.",
    ),
    "close": ("Stäng nätet", "Close the network"),
    "new_devices": ("Nya enheter", "New devices"),
    "none_new": ("Ingen ännu.", "None yet."),
    "devices": ("Hemmets enheter", "Devices of the home"),
    "none_here": ("Ingen ännu.", "None yet."),
    "which_one": (
        "Vilken är det? Utlös den: det den säger syns här.",
        "Which one is it? Trip it: what it says appears here.",
    ),
    "could": ("Passar till:", "Fits:"),
    "is_the_new": ("Det är den nya {name}", "It is the new {name}"),
    "name_it": ("Ge den namn", "Name it"),
    "not_ours": ("Inte vår", "Not ours"),
    "room": ("Rum", "Room"),
    "other_room": ("Rummets namn", "Name of the room"),
    "name": ("Namn", "Name"),
    "name_itself": ("föreslås av sig självt", "suggested by itself"),
    "is": ("Vad det är (spis, ytterdörr …)", "What it is (stove, front door …)"),
    "back": ("Tillbaka", "Back"),
    "save": ("Spara", "Save"),
    "link": ("signal", "link"),
    "heard": ("hörd {n} gånger här", "heard {n} times here"),
    "weakest": ("svagast", "weakest"),
    "placed": ("Den sitter", "It is mounted"),
    "try_link": ("Prova signalen", "Try the link"),
    "more": ("Mer", "More"),
    "not_joined": ("Har inte anslutit", "Has not joined"),
    "serves": ("Används av:", "Used by:"),
    "no_rule": ("ingen regel", "no rule"),
    "could_add": ("Kan också vara med i:", "Could also serve:"),
    "replace": ("Byt ut mot en ny", "Replace by a new one"),
    "walk_about": (
        "Utlös varje enhet. Rök, CO och hjälpknapp går ut utan provmärke om de står kvar i 2 minuter.",
        "Trip every device. Smoke, CO and the help button go out unmarked if they last 2 minutes.",
    ),
    "walk_begin": ("Börja gångprovet", "Begin the walk test"),
    "walk_count": ("{n} av {of} provade", "{n} of {of} tested"),
    "walk_paused": (
        "Provet från {at} är pausat: larm är på riktigt.",
        "The test of {at} is paused: alerts are real.",
    ),
    "walk_on": ("Fortsätt provet", "Go on with the test"),
    "walk_anew": ("Börja ett nytt", "Begin a new one"),
    "walk_pause": ("Pausa provet", "Pause the test"),
    "passed": ("provad", "tested"),
    "untested": ("EJ PROVAD", "NOT TESTED"),
    "remark": ("Kommentar", "Comment"),
    "remark_change": ("Ändra kommentaren", "Change the comment"),
    "radio": ("Radio:", "Radio:"),
    "says_nothing": ("Den har inte sagt vad den mäter.", "It hasn't said what it measures."),
    "turn_on": ("Slå på", "Turn on"),
    "turn_off": ("Slå av", "Turn off"),
    "it_did": ("Det gjorde den", "It did"),
    "it_did_not": ("Det gjorde den inte", "It didn't"),
    "did_nothing": ("Gjorde ingenting när den provades.", "Did nothing when it was tried."),
    "alerts": ("Larm", "Alerts"),
    "takes_time": (
        "Tar tid innan den larmar; behöver inte inväntas.",
        "Takes its time before it tells anybody; need not be awaited.",
    ),
    "stays_home": ("Stannar i hemmet.", "Stays in the home."),
    "sent": ("skickat", "sent"),
    "not_sent": ("inte skickat", "not sent"),
    "as_test": ("som prov", "as a test"),
    "not_as_test": ("UTAN PROVMÄRKE", "NOT MARKED AS A TEST"),
    "arrived": ("framme", "delivered"),
    "not_acknowledged": ("inte kvitterat", "not acknowledged"),
    "report_first": ("Gör gångprovet först.", "Make the walk test first."),
    "all_good": ("Allt är provat och kvitterat.", "Everything is tested and acknowledged."),
    "not_yet": ("Det här saknas:", "What is missing:"),
    "who": ("Ditt namn", "Your name"),
    "finish": ("Avsluta och skriv protokollet", "End and write the report"),
    "show_pdf": ("Visa protokollet (PDF)", "Show the report (PDF)"),
    "yes_sure": ("Ja, det är meningen", "Yes, that is meant"),
    "no_back": ("Nej, tillbaka", "No, back"),
}
"""What the page's own script shows."""


def page_words(language: str) -> dict[str, str]:
    """All words of the page in one language."""
    return {key: sv if language == "sv" else en for key, (sv, en) in PAGE.items()}


def say(key: str, language: str, **more: object) -> str:
    """The words for `key`, with what is to stand in them."""
    sv, en = WORDS[key]
    return (sv if language == "sv" else en).format(**more)
