"""What an installer is told of a device whose interview doesn't end."""

SAYS_NOTHING = "it doesn't say what it measures: wake it by its button, close to the stick, and pair again"
ASKED_AGAIN = "it doesn't answer, and is asked again: keep it awake by its button, close to the stick"
ANSWERS_NOTHING = "it doesn't answer: wake it by its button, close to the stick, and pair again"
WRONG_CODE = (
    "it doesn't answer: perhaps the install code isn't its own; compare both, and pair it again by it"
)
