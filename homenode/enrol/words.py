"""What enrolment says, in Swedish and English: on the panel, the card and the command line (pure)."""

from __future__ import annotations

from collections.abc import Mapping

from homenode.enrol.steps import Why

WHY: Mapping[str, tuple[str, str, str, str]] = {
    "clock": ("Klockan är inte ställd än.", "The clock is not set yet.",
              "Vänta några minuter; finns en tidsserver i nätet?",
              "Wait some minutes; is there a time server in the network?"),
    "network": ("Inget kontor svarar: {text}", "No office answers: {text}",
                "Sitter nätkabeln i? Är detta rätt nät?", "Is the network cable in? Is this the right "
                "network?"),
    "no_office": ("Inget kontor hittades i nätet.", "No office was found in the network.",
                  "Lägg homenode-provision.yaml på kortets första partition, eller be att namnet "
                  "homenode-office läggs in i nätets DNS.",
                  "Put homenode-provision.yaml on the card's first partition, or have homenode-office "
                  "put into the network's DNS."),
    "not_trusted": ("Kontoret har ett certifikat som dosan inte litar på: {text}",
                    "The office has a certificate that the box does not trust: {text}",
                    "Är ca: i provisioneringsfilen rätt? Är detta rätt nät?",
                    "Is ca: in the provisioning file right? Is this the right network?"),
    "no_trust": ("Dosan vet inte vilket kontor den ska lita på.", "The box does not know which office "
    "to trust.",
                 "Ange ca: i provisioneringsfilen.", "Write ca: in the provisioning file."),
    "approval": ("Kontoret ska godkänna dosan {serial} med nyckeln {key}.",
                 "The office has to approve box {serial} with the key {key}.",
                 "Ring kontoret och läs upp serienummer och nyckel. Kontoret säger: {text}",
                 "Call the office and read out serial number and key. The office says: {text}"),
    "unassigned": ("Kontoret har släppt in dosan {serial}, och ska ge den ett hem.",
                   "The office has let in box {serial}, and has to assign it to a home.",
                   "Ring kontoret och läs upp serienumret.",
                   "Call the office and read out the serial number."),
    "code": ("Engångskoden gäller inte.", "The one-time code is not accepted.",
             "Be kontoret om en ny kod. Kontoret säger: {text}", "Ask the office for a new code. The "
             "office says: {text}"),
    "code_used": ("Engångskoden är redan använd.", "The one-time code was used before.",
                  "Be kontoret om en ny kod för dosan {serial}.",
                  "Ask the office for a new code for box {serial}."),
    "code_of_another": ("Engångskoden är för en annan dosa eller ett annat hem.",
                        "The one-time code is for another box or another home.",
                        "Har två kort förväxlats? Be annars kontoret om en ny kod för dosan {serial}.",
                        "Were two cards mixed up? Else ask the office for a new code for box {serial}."),
    "code_old": ("Engångskoden är för gammal.", "The one-time code is too old.",
                 "Be kontoret om en ny kod för dosan {serial}.",
                 "Ask the office for a new code for box {serial}."),
    "replaces": ("Kontoret känner till dosan {serial} med en annan nyckel.",
                 "The office knows box {serial} with another key.",
                 "Ska den här ersätta den? Be kontoret om en ny kod, eller att godkänna nyckeln {key}.",
                 "Does this one replace it? Ask the office for a new code, or to approve the key {key}."),
    "home_taken": ("Hemmet har redan en annan dosa.", "The home has another box already.",
                   "Ska den här ersätta den? Be kontoret att byta till dosan {serial}.",
                   "Does this one replace it? Have the office swap it for box {serial}."),
    "revoked": ("Dosans certifikat är återkallat.", "The box's certificate was revoked.",
                "Be kontoret om en ny kod för dosan {serial}.",
                "Ask the office for a new code for box {serial}."),
    "twin": ("En annan dosa har samma identitet: {serial}.", "Another box has the same identity: {serial}.",
             "Är kortet en kopia? Ring kontoret. Kontoret säger: {text}",
             "Is the card a copy? Call the office. The office says: {text}"),
    "refused": ("Kontoret säger nej.", "The office says no.", "Ring kontoret. Det säger: {text}",
                "Call the office. It says: {text}"),
    "busy": ("Kontoret har mycket att göra.", "The office is busy.", "Vänta.", "Wait."),
    "broken": ("Något är fel på kontorets server ({status}).",
               "Something is wrong with the office's server ({status}).",
               "Ring kontoret. Det säger: {text}", "Call the office. It says: {text}"),
    "odd": ("Kontoret förstår inte dosan ({status}).", "The office does not understand the box ({status}).",
            "Ring kontoret. Det säger: {text}", "Call the office. It says: {text}"),
    "no_home": ("Dosan är känd, men hemmet {home} är ännu inte beskrivet, eller inte undertecknat.",
                "The box is known, but the home {home} is not described, or not signed, yet.",
                "Kontoret ska lägga in hemmet, och se till att det undertecknas om det krävs.",
                "The office has to describe the home, and have it signed where somebody signs."),
    "home_wrong": ("Det är fel i hemmets fil: {text}", "The home's file has mistakes: {text}",
                   "Kontoret ska rätta filen.", "The office has to correct the file."),
    "card_home_wrong": ("Det är fel i hemmets fil på kortet: {text}",
                        "The home's file on the card has mistakes: {text}",
                        "Lägg en rättad fil på kortets första partition.",
                        "Put a corrected file on the card's first partition."),
    "home_unsigned": ("Hemmets fil är inte undertecknad som den ska: {text}",
                      "The home's file is not signed as it must be: {text}",
                      "Kontoret ska se till att den undertecknas.", "The office has to have it signed."),
    "other_home": ("Filen är för hemmet {found}, men dosan är för {home}.",
                   "The file is for the home {found}, but the box is for {home}.",
                   "Har kortet förväxlats med ett annat? Annars kan kontoret låta dosan radera det förra "
                   "hemmet.",
                   "Was the card mixed up with another one? Else the office can have the box erase the "
                   "former home."),
    "file_wrong": ("Det är fel i provisioneringsfilen: {text}", "The provisioning file has mistakes: {text}",
                   "Rätta filen på kortets första partition.", "Correct the file on the card's first "
                   "partition."),
    "file_name": ("Filen på kortet heter {found}, men ska heta {text}.",
                  "The file on the card is called {found}, but has to be called {text}.",
                  "Byt namn på den; Windows döljer gärna slutet av ett namn.",
                  "Rename it; Windows likes to hide the end of a name."),
    "card": ("Det går inte att skriva på kortet: {text}", "The card can't be written: {text}",
             "Byt kortet.", "Use another card."),
    "key_wrong": ("Nyckeln kan inte användas: {text}", "The key can't be used: {text}",
                  "Låt användaren homenode läsa den, eller flytta undan filen: då gör dosan en ny nyckel.",
                  "Let the user homenode read it, or move the file away: then the box makes a new key."),
    "enrolled": ("Dosan är inskriven för {home}.", "The box is enrolled for {home}.", "", ""),
    "alone": ("Hemmet står på kortet; inget kontor är angivet.", "The home is on the card; no office is "
    "named.", "", ""),
    "forgets": ("Dosan är inskriven för {home}, men minneskortets data är skadade.",
                "The box is enrolled for {home}, but the card's data are damaged.",
                "Byt kortet.", "Use another card."),
    "lost": ("Minneskortets data är skadade: dosan har glömt vems den är.",
             "The card's data are damaged: the box has forgotten whose it is.",
             "Byt kortet.", "Use another card."),
    "has_home": ("Dosan har redan hemmet {home}; det på kortet togs inte.",
                 "The box has the home {home} already; the one on the card was not taken.",
                 "Ändra /etc/homenode/home.yaml i dosan, eller ta ett nytt kort.",
                 "Change /etc/homenode/home.yaml on the box, or use a fresh card."),
    "office_home": ("Dosan är inskriven för {home} som kontoret beskriver det; hemmet på kortet togs inte.",
                    "The box is enrolled for {home} as the office describes it; the home on the card was not "
                    "taken.", "", ""),
    "not_renewed": ("Dosan är inskriven för {home}; kontoret nås inte: {text}",
                    "The box is enrolled for {home}; the office can't be reached: {text}", "", ""),
    "left": ("Hyresgästens uppgifter är raderade. Dosan väntar på ett nytt hem.",
             "The tenant's data are erased. The box waits for a new home.", "", ""),
    "not_erased": ("Allt kunde inte raderas: {text}", "Not everything could be erased: {text}",
                   "Ring kontoret.", "Call the office."),
}  # fmt: skip
"""Key to the sentence and what to do, each in Swedish and English; {…} are facts."""


def said(why: Why) -> dict[str, dict[str, str]]:
    """The sentence and what to do, by language."""
    sv, en, do_sv, do_en = (text.format_map(_Facts(why.facts)) for text in WHY[why.key])
    return {"why": {"sv": sv, "en": en}, "do": {"sv": do_sv, "en": do_en}}


class _Facts(dict[str, str]):
    """A fact that isn't known is shown as that."""

    def __missing__(self, key: str) -> str:
        return "?"
