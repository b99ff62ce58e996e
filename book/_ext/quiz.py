"""The directive `{quiz} gates`: the questions of `quizzes/gates.yml`, to be answered on the page.

In HTML each question is a form. `book/_static/quiz.js` judges the answers; without it they stand behind a fold.
In print (LaTeX, EPUB) the questions are a list, and the answers follow it.
"""

import zlib
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from questions import read_quiz


class html_element(nodes.General, nodes.Element):
    """An element of HTML that docutils has no node for, such as a fieldset. It stands in HTML only."""


def element(tag, *children, **attributes):
    """Return an html_element. `data_key="x"` becomes `data-key="x"`."""
    attributes = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return html_element("", *children, tag=tag, html=attributes)


def visit_element(translator, node):
    translator.body.append(translator.starttag(node, node["tag"], "", **node["html"]))


def depart_element(translator, node):
    if node["tag"] != "input":
        translator.body.append(f"</{node['tag']}>\n")


class Quiz(SphinxDirective):
    """`{quiz} gates` shows the questions of `quizzes/gates.yml` beside the page."""

    required_arguments = 1

    def run(self):
        relative, path = self.env.relfn2path(f"quizzes/{self.arguments[0]}.yml")
        self.env.note_dependency(relative)
        try:
            questions = read_quiz(Path(path))
            forms = [self.form(number, question) for number, question in enumerate(questions, start=1)]
        except ValueError as error:
            raise self.error(str(error)) from None
        again = element("button", nodes.Text("Start again"), type="button", hidden="", class_="quiz-again")
        score = element("div", element("span", role="status"), again, class_="quiz-score")
        quiz = element("div", *forms, score, class_="quiz", data_quiz=self.arguments[0])
        screen, paper = "html and not epub", "not html or epub"
        return [addnodes.only("", quiz, expr=screen), addnodes.only("", *self.lists(questions), expr=paper)]

    def blocks(self, text):
        """Return the nodes of a Markdown text."""
        parent = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), self.arguments[0]), 0, parent)
        return parent.children

    def line(self, text):
        """Return the nodes of a Markdown text that is one paragraph, without the paragraph."""
        blocks = self.blocks(text)
        if [type(block) for block in blocks] != [nodes.paragraph]:
            raise ValueError(f"an answer must be one paragraph, got `{text.strip()}`")
        return blocks[0].children

    def answers(self, question):
        """Return all answers with their feedback as a definition list."""
        items = []
        for answer in question.answers:
            verdict = nodes.strong("", "Right." if answer.correct else "Not right.")
            first, *others = self.blocks(answer.feedback)
            if isinstance(first, nodes.paragraph):
                first = nodes.paragraph("", "", verdict, nodes.Text(" "), *first.children)
            else:
                first, others = nodes.paragraph("", "", verdict), [first, *others]
            classes = ["quiz-right" if answer.correct else "quiz-wrong"]
            definition = nodes.definition("", first, *others, classes=classes)
            items.append(nodes.definition_list_item("", nodes.term("", "", *self.line(answer.text)), definition))
        return nodes.definition_list("", *items)

    def form(self, number, question):
        """Return a question as a form: its text as legend, radio buttons or a field, and the answers behind a fold."""
        text, *rest = self.blocks(question.text)
        try:
            if not isinstance(text, nodes.paragraph):
                raise ValueError("it must begin with a paragraph")
            answers = self.answers(question)
        except ValueError as error:
            raise ValueError(f"{self.arguments[0]}.yml, question {number}: {error}") from None
        count = nodes.inline("", f"{number}. ", classes=["quiz-number"])
        legend = element("legend", count, nodes.inline("", "", *text.children))
        button = element("button", nodes.Text("Check"), type="submit", hidden="", disabled="", class_="quiz-check")
        fold = element("details", element("summary", nodes.Text("All answers")), answers)
        fields = self.radios(number, question) if question.tolerance is None else [self.field(question)]
        said, more = element("div", role="status"), f"quiz-{self.arguments[0]}-{number}"
        described = {"aria_describedby": more} if rest else {}
        rest = [element("div", *rest, id=more, class_="quiz-more")] if rest else []
        asked = element("fieldset", legend, *rest, *fields, button, said, fold, **described)
        numbers = [answer.number for answer in question.answers if answer.number is not None]
        data = {"data_key": f"{zlib.crc32(repr(question).encode()):x}", "data_right": question.right}
        if numbers:
            data |= {"data_numbers": " ".join(map(repr, numbers)), "data_tolerance": question.tolerance}
        return element("form", asked, autocomplete="off", **data)

    def radios(self, number, question):
        """Return the choices, each a radio button in its label."""
        name = f"{self.arguments[0]}-{number}"
        for index, answer in enumerate(question.answers):
            radio = element("input", type="radio", name=name, value=index)
            yield element("label", radio, nodes.inline("", "", *self.line(answer.text)), class_="quiz-choice")

    def field(self, question):
        """Return the field for a number: a text field, which takes a comma too, with the keyboard for decimals."""
        negative = any((answer.number or 0) < 0 for answer in question.answers)  # that keyboard may have no minus
        field = element("input", type="text", name="number", inputmode="text" if negative else "decimal")
        return element("label", nodes.inline("", "Your number"), field, class_="quiz-field")

    def lists(self, questions):
        """Return what stands in print: the questions with their choices, then the answers."""
        asked, answered = [], []
        for question in questions:
            choices = [nodes.list_item("", nodes.paragraph("", "", *self.line(a.text))) for a in question.answers]
            choices = [enumerated("loweralpha", choices)] if question.tolerance is None else []
            asked.append(nodes.list_item("", *self.blocks(question.text), *choices))
            answered.append(nodes.list_item("", self.answers(question)))
        title = nodes.paragraph("", "", nodes.strong("", "Answers"))
        return [enumerated("arabic", asked), title, enumerated("arabic", answered)]


def enumerated(kind, items):
    return nodes.enumerated_list("", *items, enumtype=kind, prefix="", suffix=".")


def add_script(app, pagename, templatename, context, doctree):
    """Load the script on pages with a quiz alone."""
    if doctree is not None and any(doctree.findall(html_element)):
        app.add_js_file("quiz.js", loading_method="defer")


def setup(app):
    app.add_directive("quiz", Quiz)
    app.add_node(html_element, html=(visit_element, depart_element))
    app.connect("html-page-context", add_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
