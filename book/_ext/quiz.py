"""The directive `{quiz} gates`: the questions of `quizzes/gates.yml`, to be answered on the page.

In HTML each question is a form. `book/_static/quiz.js` judges the answers; without it they stand behind a fold.
In print (LaTeX, EPUB) the questions are a list, and the answers follow it.
"""

import zlib
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from questions import read_quiz


class html_element(nodes.General, nodes.Element):
    """An element of HTML that docutils has no node for, such as a fieldset. It stands in HTML only."""


def element(tag, *children, **attributes):
    """Return an html_element. `data_key="x"` becomes `data-key="x"`, and `class_` becomes `class`."""
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
        name = self.arguments[0]
        relative, path = self.env.relfn2path(f"quizzes/{name}.yml")
        self.env.note_dependency(relative)
        try:
            questions = read_quiz(Path(path))
        except ValueError as error:
            raise self.error(str(error)) from None
        forms = [self.form(f"{name}-{number}", number, question) for number, question in enumerate(questions, start=1)]
        again = element("button", nodes.Text("Start again"), type="button", hidden="", class_="quiz-again")
        score = element("div", element("span", role="status"), again, class_="quiz-score")
        screen = element("div", *forms, score, class_="quiz", data_quiz=name)
        paper = self.lists(questions)
        return [addnodes.only("", screen, expr="html and not epub"), addnodes.only("", *paper, expr="not html or epub")]

    def markdown(self, text):
        """Return the nodes of one paragraph of Markdown."""
        return self.state.inline_text(text.strip(), self.lineno)[0]

    def answers(self, question):
        """Return all answers with their feedback as a definition list."""
        items = []
        for answer in question.answers:
            verdict = nodes.strong("", "Right." if answer.correct else "Not right.")
            feedback = nodes.paragraph("", "", verdict, nodes.Text(" "), *self.markdown(answer.feedback))
            definition = nodes.definition("", feedback, classes=["quiz-right" if answer.correct else "quiz-wrong"])
            term = nodes.term("", "", *self.markdown(answer.text))
            items.append(nodes.definition_list_item("", term, definition))
        return nodes.definition_list("", *items)

    def form(self, name, number, question):
        """Return a question as a form: its text as legend, radio buttons or a field, and the answers behind a fold."""
        count = nodes.inline("", f"{number}. ", classes=["quiz-number"])
        legend = element("legend", count, nodes.inline("", "", *self.markdown(question.text)))
        data = {"data_key": f"{zlib.crc32(repr(question).encode()):x}", "data_right": question.right}
        if question.tolerance is None:
            fields = self.radios(name, question)
        else:
            fields = [self.field(question)]
            data |= {"data_numbers": " ".join(map(repr, question.numbers)), "data_tolerance": question.tolerance}
        button = element("button", nodes.Text("Check"), type="submit", hidden="", disabled="", class_="quiz-check")
        said = element("div", role="status")
        fold = element("details", element("summary", nodes.Text("All answers")), self.answers(question))
        return element("form", element("fieldset", legend, *fields, button, said, fold), autocomplete="off", **data)

    def radios(self, name, question):
        """Return the choices, each a radio button in its label."""
        for index, answer in enumerate(question.answers):
            radio = element("input", type="radio", name=name, value=index)
            yield element("label", radio, nodes.inline("", "", *self.markdown(answer.text)), class_="quiz-choice")

    def field(self, question):
        """Return the field for a number: a text field, which takes a comma too, with the keyboard for decimals."""
        negative = min(question.numbers) < 0  # that keyboard may have no minus
        field = element("input", type="text", name="number", inputmode="text" if negative else "decimal")
        return element("label", nodes.inline("", "Your number"), field, class_="quiz-field")

    def lists(self, questions):
        """Return what stands in print: the questions with their choices, then the answers."""
        asked = []
        for question in questions:
            item = nodes.list_item("", nodes.paragraph("", "", *self.markdown(question.text)))
            if question.tolerance is None:
                texts = [nodes.paragraph("", "", *self.markdown(answer.text)) for answer in question.answers]
                item += enumerated("loweralpha", [nodes.list_item("", text) for text in texts])
            asked.append(item)
        answered = [nodes.list_item("", self.answers(question)) for question in questions]
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
