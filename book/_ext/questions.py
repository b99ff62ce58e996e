"""Questions of a quiz, read from a file such as `book/quizzes/gates.yml`; CONTRIBUTING.md describes such a file."""

import math
from typing import NamedTuple

import yaml

TEXTS = {"question", "answer", "feedback", "right", "wrong"}


class Answer(NamedTuple):
    """What a reader may answer, and the feedback to it; both are one paragraph of Markdown."""

    text: str
    feedback: str
    correct: bool = False
    number: float | None = None  # None for a choice, and for "any other number"


class Question(NamedTuple):
    """A question with its answers: the choices in their order, or the right number, the near ones, and any other."""

    text: str
    answers: list[Answer]
    tolerance: float | None = None  # None for a question with choices

    @property
    def right(self):
        """The index of the right answer."""
        return [answer.correct for answer in self.answers].index(True)

    @property
    def numbers(self):
        """The numbers that have a feedback of their own."""
        return [answer.number for answer in self.answers if answer.number is not None]


def read_quiz(path):
    """Return the questions of a YAML file.

    Raises
    ------
    ValueError
        If something is wrong: the message names the file, the question and the fault.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path.name} must be a list of questions, got {entries!r:.60}")
    questions = []
    for number, entry in enumerate(entries, start=1):
        try:
            questions.append(read_question(entry))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name}, question {number}: {error}") from None
    return questions


def read_question(entry):
    """Return one entry of the YAML list as a Question."""
    if isinstance(entry, dict) and "choices" in entry:
        return read_choices(entry)
    expect(entry, ["question", "number", "tolerance", "right", "wrong"], ["near"])
    right = evaluate(entry["number"])
    tolerance = evaluate(entry["tolerance"])
    if tolerance <= 0:
        raise ValueError(f"tolerance must be above 0, got {tolerance}")
    answers = [Answer(written(right, tolerance), entry["right"], True, right)]
    for near in entry.get("near", []):
        expect(near, ["number", "feedback"])
        value = evaluate(near["number"])
        for other in answers:
            if abs(value - other.number) <= tolerance:
                raise ValueError(f"near {value} is within the tolerance of {other.number}")
        answers.append(Answer(written(value, tolerance), near["feedback"], False, value))
    answers.append(Answer("Any other number", entry["wrong"]))
    return Question(entry["question"], answers, tolerance)


def read_choices(entry):
    """Return an entry with choices as a Question."""
    expect(entry, ["question", "choices"])
    answers = []
    for choice in entry["choices"]:
        expect(choice, ["answer", "feedback"], ["correct"])
        answers.append(Answer(choice["answer"], choice["feedback"], choice.get("correct") is True))
    if len(answers) not in (3, 4):
        raise ValueError(f"there must be three or four choices, got {len(answers)}")
    if (count := sum(answer.correct for answer in answers)) != 1:
        raise ValueError(f"exactly one choice must be correct, got {count}")
    return Question(entry["question"], answers)


def expect(entry, required, optional=()):
    """Refuse an entry that lacks a key, has an unknown one, or holds something else where a text must stand."""
    if not isinstance(entry, dict):
        raise ValueError(f"expected a mapping with {', '.join(required)}, got {entry!r:.60}")
    if missing := [key for key in required if entry.get(key) in (None, "")]:
        raise ValueError(f"{' and '.join(missing)} missing in {entry!r:.60}")
    if unknown := [str(key) for key in entry if key not in [*required, *optional]]:
        raise ValueError(f"{' and '.join(unknown)} not known in {entry!r:.60}")
    for key in TEXTS & entry.keys():
        if not isinstance(entry[key], str):
            raise ValueError(f"{key} must be a text, in quotes where YAML needs them, got {entry[key]!r}")


def evaluate(expression):
    """Return the value of a number or of an expression in the names of `math`; the course's own files are trusted."""
    try:
        value = float(eval(str(expression), {"__builtins__": {}}, vars(math)))
    except Exception as error:
        raise ValueError(f"`{expression}` is not a number: {error}") from None
    if not math.isfinite(value):
        raise ValueError(f"`{expression}` is not finite")
    return value


def written(value, tolerance):
    """Return a number as text, with no more decimals than the tolerance asks for."""
    decimals = max(0, math.ceil(-math.log10(2 * tolerance)))
    text = f"{value:.{decimals}f}"
    if decimals:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", "−")
