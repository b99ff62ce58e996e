"""Questions of a quiz, read from a file such as `book/quizzes/gates.yml`.

```yaml
- question: |
    A unit has $f = 1$ and $i = 1$ at every step. What does its cell state hold?
  choices:
    - answer: The sum of all candidates so far.
      correct: true
      feedback: Nothing is forgotten and every candidate is added whole.
    - answer: The newest candidate.
      feedback: For that the forget gate would have to shut.
    - answer: The mean of all candidates so far.
      feedback: Nothing divides by the number of steps.
- question: |
    The sum of the forget gate is 0.5. How far does it stand open, to two decimals?
  number: 1 / (1 + exp(-0.5))
  tolerance: 0.01
  right: A sum a little above 0 opens it a little above one half.
  wrong: Squash the sum.
  near:
    - number: 0.5
      feedback: That is the sum itself.
```
"""

import ast
import math
from typing import NamedTuple

import yaml

NAMES = {name: value for name, value in vars(math).items() if not name.startswith("_")}
ARITHMETIC = (ast.Expression, ast.Constant, ast.Name, ast.Load, ast.Call, ast.List, ast.BinOp, ast.UnaryOp)
ARITHMETIC += (ast.operator, ast.unaryop)


class Answer(NamedTuple):
    """What a reader may answer, and what is said to it; both in Markdown."""

    text: str
    feedback: str
    correct: bool = False
    number: float | None = None  # None for a choice, and for every number that is not foreseen


class Question(NamedTuple):
    """A question with its answers: choices in their order, or the right number, those foreseen, and any other."""

    text: str
    answers: list[Answer]
    tolerance: float | None = None  # None for a question with choices

    @property
    def right(self):
        """The index of the right answer."""
        return [answer.correct for answer in self.answers].index(True)


def read_quiz(path):
    """Return the questions of a YAML file.

    Raises
    ------
    ValueError
        If something is wrong: the message names the file, the question and the fault.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing in {path.parent.name}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not YAML: {error}") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path.name} must be a list of questions, got {entries!r:.60}")
    questions = []
    for number, entry in enumerate(entries, start=1):
        try:
            questions.append(read_question(entry))
        except ValueError as error:
            raise ValueError(f"{path.name}, question {number}: {error}") from None
    return questions


def read_question(entry):
    """Return one entry of the YAML list as a Question."""
    if isinstance(entry, dict) and "choices" in entry:
        return read_choices(entry)
    expect(entry, "the question", texts=("question", "right", "wrong"), others=("number", "tolerance"), may=("near",))
    right, tolerance = evaluate(entry["number"]), evaluate(entry["tolerance"])
    if tolerance < 0:
        raise ValueError(f"tolerance must not be negative, got {tolerance}")
    answers = [Answer(written(right, tolerance), entry["right"], True, right)]
    if not isinstance(entry.get("near", []), list):
        raise ValueError(f"near must be a list, got {entry['near']!r:.60}")
    for near in entry.get("near", []):
        expect(near, "near", texts=("feedback",), others=("number",))
        value = evaluate(near["number"])
        for other in answers:
            if abs(value - other.number) <= tolerance:
                raise ValueError(f"near {value} is within the tolerance of {other.number}")
        answers.append(Answer(written(value, tolerance), near["feedback"], False, value))
    answers.append(Answer("Any other number", entry["wrong"]))
    return Question(entry["question"], answers, tolerance)


def read_choices(entry):
    """Return an entry with choices as a Question."""
    expect(entry, "the question", texts=("question",), others=("choices",))
    if not isinstance(entry["choices"], list) or len(entry["choices"]) not in (3, 4):
        raise ValueError(f"choices must be a list of three or four, got {entry['choices']!r:.60}")
    answers = []
    for number, choice in enumerate(entry["choices"], start=1):
        expect(choice, f"choice {number}", texts=("answer", "feedback"), may=("correct",))
        correct = choice.get("correct", False)
        if not isinstance(correct, bool):
            raise ValueError(f"correct in choice {number} must be true or false, got {correct!r}")
        answers.append(Answer(choice["answer"], choice["feedback"], correct))
    if (count := sum(answer.correct for answer in answers)) != 1:
        raise ValueError(f"exactly one choice must be correct, got {count}")
    return Question(entry["question"], answers)


def expect(entry, where, texts, others=(), may=()):
    """Refuse an entry that lacks a key, has one too many, or holds no text where a text must stand."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where} must be a mapping with {', '.join(texts + others)}, got {entry!r:.60}")
    if missing := [key for key in texts + others if key not in entry]:
        raise ValueError(f"{' and '.join(missing)} missing in {where}")
    if unknown := [str(key) for key in entry if key not in texts + others + may]:
        raise ValueError(f"{where} must not have {' and '.join(unknown)}")
    for key in texts:
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ValueError(f"{key} in {where} must be a text (in quotes if need be), got {entry[key]!r}")


def evaluate(expression):
    """Return the value of an expression of numbers, operators and what the module math has."""
    try:
        tree = ast.parse(str(expression).strip(), mode="eval")
        for node in ast.walk(tree):
            if not isinstance(node, ARITHMETIC) or (isinstance(node, ast.Name) and node.id not in NAMES):
                raise ValueError(f"{ast.unparse(node)} is not allowed, only arithmetic and the names of math")
        value = float(eval(compile(tree, "quiz", "eval"), {"__builtins__": {}}, NAMES))
    except (SyntaxError, TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"`{expression}` is not a number: {error}") from None
    if not math.isfinite(value):
        raise ValueError(f"`{expression}` is not finite")
    return value


def written(value, tolerance):
    """Return a number as text, with no more decimals than the tolerance asks for."""
    if tolerance == 0:
        return f"{value:g}".replace("-", "−")
    decimals = max(0, math.ceil(round(-math.log10(2 * tolerance), 9)))
    text = f"{value:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if decimals else text).replace("-", "−")
