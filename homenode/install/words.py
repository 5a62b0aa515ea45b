"""What the installer reads on the terminal, on paper and in refusals, in Swedish and English (pure)."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("sv", "en")

WORDS: Mapping[str, Mapping[str, str]] = {
    # the report
    "report": {"sv": "Provningsprotokoll", "en": "Acceptance report"},
    "home": {"sv": "Hem", "en": "Home"},
    "tested": {"sv": "Provat", "en": "Tested"},
    "by": {"sv": "av", "en": "by"},
    "clock_untrusted": {
        "sv": "Nodens klocka var inte ställd: tiderna kan vara fel.",
        "en": "The node's clock was not set: the times may be wrong.",
    },
    "accepted": {
        "sv": "Godkänd: allt provat och kvitterat.",
        "en": "Accepted: everything tested and acknowledged.",
    },
    "not_accepted": {"sv": "Inte godkänd. Det här saknas:", "en": "Not accepted. What is missing:"},
    "lacks_device": {"sv": "{name} är inte provad", "en": "{name} is not tested"},
    "lacks_rule": {
        "sv": "larmet {name} är inte skickat, framme och kvitterat",
        "en": "the alert {name} was not sent, delivered and acknowledged",
    },
    "lacks_unused": {
        "sv": "{name} larmar ingen: ingen regel använder den",
        "en": "{name} alerts nobody: no rule uses it",
    },
    "lacks_party": {
        "sv": "{name} har inte kvitterat något provlarm",
        "en": "{name} has acknowledged no test alert",
    },
    "lacks_nobody": {
        "sv": "ingen regel larmar någon: ingenting lämnar hemmet",
        "en": "no rule tells anybody: nothing leaves the home",
    },
    "sensors": {"sv": "Enheter", "en": "Devices"},
    "alerts": {"sv": "Larm", "en": "Alerts"},
    "floor": {"sv": "Vad som sitter var", "en": "What hangs where"},
    "room": {"sv": "Rum", "en": "Room"},
    "name": {"sv": "Namn", "en": "Name"},
    "what": {"sv": "Vad", "en": "What"},
    "seen": {"sv": "Sett", "en": "Seen"},
    "missing": {"sv": "saknas", "en": "missing"},
    "did_nothing": {
        "sv": "gjorde ingenting när den provades",
        "en": "did nothing when it was tried",
    },
    "model": {"sv": "Modell, adress", "en": "Model, address"},
    "time": {"sv": "Tid", "en": "Time"},
    "result": {"sv": "Resultat", "en": "Result"},
    "passed": {"sv": "provad", "en": "tested"},
    "untested": {"sv": "EJ PROVAD", "en": "NOT TESTED"},
    "takes_time": {"sv": "tar tid, ej inväntad", "en": "takes time, not awaited"},
    "stays_home": {"sv": "stannar i hemmet", "en": "stays in the home"},
    "nothing_to_test": {"sv": "säger ingenting än", "en": "says nothing yet"},
    "rule": {"sv": "Regel", "en": "Rule"},
    "party": {"sv": "Till", "en": "To"},
    "sent": {"sv": "Skickat", "en": "Sent"},
    "arrived": {"sv": "Framme", "en": "Delivered"},
    "acknowledged": {"sv": "Kvitterat", "en": "Acknowledged"},
    "party_care": {"sv": "hemtjänsten", "en": "care"},
    "party_property": {"sv": "hyresvärden", "en": "property"},
    "party_resident": {"sv": "den boende", "en": "resident"},
    "party_operator": {"sv": "driften", "en": "operator"},
    "link": {"sv": "signal", "en": "link"},
    "link_good": {"sv": "bra", "en": "good"},
    "link_fair": {"sv": "går an", "en": "fair"},
    "link_weak": {"sv": "svag", "en": "weak"},
    "link_unknown": {"sv": "okänd", "en": "unknown"},
    "link_wired": {"sv": "trådbunden", "en": "wired"},
    "battery": {"sv": "batteri", "en": "battery"},
    "signed": {
        "sv": "Undertecknat av noden, nyckel {fingerprint}. Prövas med: homenode install verify MAPP",
        "en": "Signed by the node, key {fingerprint}. Verified by: homenode install verify FOLDER",
    },
    "signed_link": {
        "sv": "Också undertecknat med nodens nyckel för larmförbindelsen, certifikat {fingerprint}.",
        "en": "Also signed with the node's key for the link, certificate {fingerprint}.",
    },
    "not_certified": {
        "sv": "Noden är ingen certifierad brandvarnare, spisvakt eller trygghetslarm och ersätter "
        "inget sådant.",
        "en": "The node is no certified smoke alarm, stove guard or social alarm, and replaces none.",
    },
    # what is wanted of a point
    "want_true": {"sv": "utlöst", "en": "tripped"},
    "want_false": {"sv": "tillbaka", "en": "back"},
    "want_on": {"sv": "på", "en": "on"},
    "want_value": {"sv": "ett värde", "en": "a value"},
    "want_press": {"sv": "tryckt", "en": "pressed"},
    "want_works": {"sv": "fungerar", "en": "works"},
    # the steps on a terminal
    "verified": {
        "sv": "Hel, och undertecknad med nyckeln {fingerprint}.",
        "en": "Whole, and signed with the key {fingerprint}.",
    },
    "verify_with": {
        "sv": "Nyckeln låg bredvid. Jämför den med nodens, som du har fått förut (--key FIL).",
        "en": "The key lay beside it. Compare it with the node's, which you got before (--key FILE).",
    },
    "verified_key": {"sv": "Det är den nyckel som du angav.", "en": "It is the key that you named."},
    "verified_link": {
        "sv": "Också undertecknad med nyckeln för nodens certifikat {who}.",
        "en": "Also signed with the key of the node's certificate {who}.",
    },
    "verify_issuer": {
        "sv": "Vem som har utfärdat det är inte prövat (--ca FIL).",
        "en": "Who issued it is not verified (--ca FILE).",
    },
    "verified_issuer": {
        "sv": "Det är utfärdat av den som du angav.",
        "en": "It was issued by whom you named.",
    },
    "refused": {"sv": "Gick inte: {why}", "en": "Not done: {why}"},
    "unmarked": {"sv": "UTAN PROVMÄRKE", "en": "NOT MARKED AS A TEST"},
    "devices_here": {"sv": "enheter: {n}", "en": "devices: {n}"},
    "no_such": {"sv": "Ett nummer från 1 till {n}, eller Enter.", "en": "A number from 1 to {n}, or Enter."},
    "try_again": {"sv": "Enter: försök igen; m: till menyn", "en": "Enter: try again; m: to the menu"},
    "choose": {"sv": "Välj", "en": "Choose"},
    "which": {"sv": "Vilken (Enter: ingen)", "en": "Which (Enter: none)"},
    "which_or_none": {
        "sv": "Vilken ska den också vara med i (Enter: ingen)",
        "en": "Which shall it serve, too (Enter: none)",
    },
    "menu_open": {
        "sv": "Öppna nätet för nya enheter (4 min)",
        "en": "Open the network for new devices (4 min)",
    },
    "menu_name": {
        "sv": "Ge en ny enhet namn och rum ({n} väntar)",
        "en": "Give a new device its name and room ({n} wait)",
    },
    "menu_place": {
        "sv": "Prova signalen där en enhet ska sitta",
        "en": "Try the link where a device is to hang",
    },
    "menu_rules": {"sv": "Låt en enhet vara med i en regel", "en": "Have a device serve a rule"},
    "menu_walk": {"sv": "Gångprov och protokoll", "en": "Walk test and report"},
    "menu_replace": {"sv": "Byt ut en trasig enhet", "en": "Replace a dead device"},
    "menu_move": {"sv": "Ändra en enhets rum", "en": "Change the room of a device"},
    "menu_code": {
        "sv": "Öppna nätet för en enhet med installationskod",
        "en": "Open the network for one device with an install code",
    },
    "menu_end": {"sv": "Sluta, och stäng nätet", "en": "End, and close the network"},
    "opened": {
        "sv": "Nätet är öppet i 4 minuter. Tryck på enhetens parkopplingsknapp; den dyker upp här.",
        "en": "The network is open for 4 minutes. Press the pairing button of the device; it appears here.",
    },
    "opened_code": {
        "sv": "Nätet är öppet i 4 minuter för enheten med den koden, och ingen annan.",
        "en": "The network is open for 4 minutes for the device with that code, and no other.",
    },
    "code_ask": {
        "sv": "Installationskod, som den står på enheten eller från en läsare av rutan (Enter: ingen)",
        "en": "Install code, as printed on the device or from a scanner of its square (Enter: none)",
    },
    "code_ieee": {
        "sv": "Enhetens adress, tryckt bredvid (16 siffror och bokstäver; Enter om rutan är läst)",
        "en": "The device's address, printed beside it (16 digits; Enter if the square was scanned)",
    },
    "code_not_taken": {
        "sv": "Installationskoden togs inte emot: läs av den igen. 8 och B, 0 och D, 5 och 6 är lika; "
        "serienumret är det inte.",
        "en": "The install code was not taken.",
    },
    "nobody_new": {"sv": "Ingen ny enhet väntar på namn.", "en": "No new device waits for a name."},
    "rooms": {"sv": "Rum", "en": "Rooms"},
    "which_room": {"sv": "Rum, nummer eller namn", "en": "Room, number or name"},
    "room_or_not_ours": {
        "sv": "Rum, nummer eller namn (- om den inte är vår)",
        "en": "Room, number or name (- if it is not ours)",
    },
    "is": {
        "sv": "Vad det är, som spis (Enter: inget särskilt)",
        "en": "What it is, such as stove (Enter: nothing special)",
    },
    "sure": {"sv": "Gör det ändå (j/n)", "en": "Do it all the same (y/n)"},
    "hold": {
        "sv": "Håll {name} där den ska sitta och utlös den några gånger.",
        "en": "Hold {name} where it is to hang, and trip it a few times.",
    },
    "hold_again": {"sv": "Enter: hur det ser ut nu; k: klar", "en": "Enter: how it looks now; d: done"},
    "heard_times": {"sv": "hörd {n} gånger här", "en": "heard {n} times here"},
    "fits": {"sv": "{name} kan också vara med i:", "en": "{name} could also serve:"},
    "replace_join": {
        "sv": "Nätet är öppet. Sätt den nya enheten, som ska heta {name}, i parkopplingsläge.",
        "en": "The network is open. Put the new device, which shall be {name}, into pairing mode.",
    },
    "enter_when_there": {
        "sv": "Enter när den har dykt upp; a: avbryt",
        "en": "Enter when it has appeared; c: cancel",
    },
    "walk_again": {
        "sv": "Ett prov från {begun} är påbörjat: Enter fortsätter, n börjar ett nytt",
        "en": "A test of {begun} has begun: Enter goes on with it, n begins a new one",
    },
    "walk_begun": {
        "sv": "Hemmet är i serviceläge: larm går ut märkta som prov. Rök, CO och hjälpknapp går ut "
        "UTAN märke\n"
        "om de står kvar i 2 minuter. Utlös varje enhet; det som är provat bockas av.",
        "en": "The home is in service mode: alerts go out marked as tests. Smoke, CO and the help "
        "button go out\n"
        "UNMARKED if they last 2 minutes. Trip every device; what is tested is ticked.",
    },
    "walk_prompt": {
        "sv": "Enter: läget nu; o: prova en utgång; k: kommentar; a: avsluta med protokoll; p: pausa",
        "en": "Enter: how it stands; o: try an output; c: comment; r: end with the report; p: pause",
    },
    "remark": {"sv": "Kommentar", "en": "Comment"},
    "remark_of": {"sv": "Kommentar till {name} (-: ingen)", "en": "Comment on {name} (-: none)"},
    "left": {"sv": "Kvar", "en": "Left"},
    "who": {"sv": "Ditt namn, för protokollet", "en": "Your name, for the report"},
    "works": {"sv": "Slog {point} till (j/n)", "en": "Did {point} turn on (y/n)"},
    # what was done, and what can't be
    "named": {"sv": "{name} är tillagd", "en": "{name} is added"},
    "moved": {"sv": "{name} är nu i {room}", "en": "{name} is now in {room}"},
    "dismissed": {
        "sv": "{address} är bortskickad. Kommer den tillbaka: stäng nätet.",
        "en": "{address} was sent away. If it comes back: close the network.",
    },
    "replaced": {"sv": "{name} har fått en ny enhet", "en": "{name} has new hardware"},
    "replaced_other": {
        "sv": "{name} har fått en ny enhet av en annan modell: {new}, förut {old}",
        "en": "{name} has new hardware of another model: {new}, formerly {old}",
    },
    "rule_reads": {"sv": "{rule} använder nu {point}", "en": "{rule} now reads {point}"},
    "report_written": {"sv": "Protokollet är skrivet: {folder}", "en": "The report is written: {folder}"},
    "no_text": {
        "sv": "{field} är en text på högst {most} tecken.",
        "en": "{field} is a text of at most {most} characters.",
    },
    "no_arrival": {
        "sv": "Ingen ny enhet har adressen {address}: den kan ha fått namn, eller vara borta.",
        "en": "No new device has the address {address}: it may have a name by now, or be gone.",
    },
    "no_device": {"sv": "Det finns ingen enhet {name}.", "en": "There is no device {name}."},
    "no_device_near": {
        "sv": "Det finns ingen enhet {name}. Menade du {near}?",
        "en": "There is no device {name}. Did you mean {near}?",
    },
    "no_room": {"sv": "Den behöver ett rum, som kök.", "en": "It needs a room, such as kitchen."},
    "no_room_near": {
        "sv": "Det finns inget rum {room} än, men {near}. Är {room} ett annat rum?",
        "en": "There is no room {room} yet, but there is {near}. Is {room} another room?",
    },
    "no_room_usual": {
        "sv": "{room} stavas oftast {near}. Är {room} ett annat rum?",
        "en": "{room} is usually spelled {near}. Is {room} another room?",
    },
    "no_name_letters": {
        "sv": "Ett namn är 1 till 64 av a-z, 0-9, _ och -, alltså utan å, ä, ö: {near} går bra.",
        "en": "A name is 1 to 64 of a-z, 0-9, _ and -: {near} would do.",
    },
    "no_name_taken": {
        "sv": "{name} finns redan, i {room}. Ge den här ett annat namn, som {free}.",
        "en": "There is a {name} already, in {room}. Give this one another name, such as {free}.",
    },
    "no_radio": {
        "sv": "Det går inte att se vilken radio som hörde den: skriv in {address} i home.yaml för hand.",
        "en": "It can't be told which radio heard it: write {address} into home.yaml by hand.",
    },
    "no_wired": {
        "sv": "{name} är trådbunden ({driver}): koppla den nya på samma trådar, ingenting behöver skrivas.",
        "en": "{name} is wired ({driver}): put the new one on the same wires, nothing needs to be written.",
    },
    "no_replacement": {
        "sv": "Den nya har {has}. Den saknar det som regler läser av {name}: {lacks}. De vet då ingenting av "
        "{name}: ta hellre en annan. Byta ändå?",
        "en": "The new one has {has}. It lacks what rules read of {name}: {lacks}. They would know "
        "nothing of "
        "{name} then: better take another one. Replace it all the same?",
    },
    "no_asked_yet": {
        "sv": "{address} tillfrågas ännu: vänta tills det står vad den är.",
        "en": "{address} is still being asked: wait until it says what it is.",
    },
    "no_which_radio": {
        "sv": "Hemmet har flera radior: välj en av {radios}.",
        "en": "The home has several radios: choose one of {radios}.",
    },
    "which_radio": {"sv": "Vid vilken radio (Enter: ingen)", "en": "At which radio (Enter: none)"},
    "no_place": {"sv": "{rule} har ingen plats för {name}.", "en": "{rule} has no place for {name}."},
    "no_walk": {"sv": "Inget gångprov är påbörjat.", "en": "No walk test has begun."},
    "no_output": {"sv": "{point} är ingen utgång i provet.", "en": "{point} is no output of the test."},
    "no_by": {"sv": "Protokollet behöver ditt namn.", "en": "The report needs your name."},
    "no_still_open": {
        "sv": "{rules} står kvar, och går ut som riktigt larm när serviceläget slutar. Låt mottagaren "
        "kvittera, "
        "och vänta tills det är över. Avsluta ändå?",
        "en": "{rules} is still open, and goes out as a real alert when service mode ends. Have the receiver "
        "acknowledge, and wait until it is over. End all the same?",
    },
    "no_disk": {
        "sv": "Nodens disk tog inte emot det: {why}. Gör plats och försök igen; det som är gjort är kvar.",
        "en": "The node's disk did not take it: {why}. Make room and try again; what was done is kept.",
    },
    "no_not_taken": {
        "sv": "Noden tog inte emot det, och home.yaml är som förut: {why}",
        "en": "The node did not take it, and home.yaml is as before: {why}",
    },
    # what is wrong while installing
    "node_down": {"sv": "Noden svarar inte:", "en": "The node does not answer:"},
    "radio_gone": {"sv": "Radion är borta:", "en": "The radio is gone:"},
    "link_down": {"sv": "Ingen förbindelse med larmmottagaren:", "en": "No link to the receivers:"},
    "clock_off": {
        "sv": "Nodens klocka är inte ställd: tiderna i protokollet kan bli fel. Ge noden internet en stund.",
        "en": "The node's clock is not set: the times in the report may be wrong. Give it internet.",
    },
    # the server of the page
    "page_at": {
        "sv": "Öppna på telefonen: {url}/#{code}  (koden gäller en gång; varje telefon får sin egen)",
        "en": "Open on the phone: {url}/#{code}  (the code is good for once; each phone gets its own)",
    },
    "in_the_clear": {
        "sv": "Sidan är okrypterad: använd den bara på lägenhetens eget nät, och stäng av den efteråt.",
        "en": "The page is not encrypted: use it on the flat's own network only, and end it afterwards.",
    },
    "idle": {"sv": "Ingen använder sidan; den är stängd.", "en": "Nobody uses the page; it is closed."},
    "enter_first": {"sv": "Ange koden först.", "en": "Enter the code first."},
    "code_wrong": {
        "sv": "Fel kod, eller redan använd: nästa står i terminalen.",
        "en": "Wrong code, or used already: the next one stands in the terminal.",
    },
}


def say(key: str, language: str, **more: object) -> str:
    """The words for `key`, with what is to stand in them."""
    return WORDS[key][language].format(**more)
