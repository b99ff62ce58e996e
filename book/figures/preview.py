"""The picture that stands beside a link to the course where someone shares it: 1200 by 630 pixels."""

from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import canvas, write


@figure("preview.png")
def preview():
    """The course's name beside the cell."""
    ax = canvas(12, 6.3)
    write(ax, 0.6, 4.25, "LSTM", 76, ha="left", weight="bold")
    write(ax, 0.66, 3.2, "from the gates up", 27, ha="left")
    write(
        ax, 0.66, 1.95, "a book, labs and exercises,\nin NumPy and in PyTorch", 16.5, "grey", ha="left", linespacing=1.5
    )
    figures.draw_cell(ax=ax.figure.add_axes((4.4 / 12, 0.95 / 6.3, 7.5 / 12, 4.4 / 6.3)))
    return ax
