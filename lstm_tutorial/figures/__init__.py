"""Figures: `plots` of measurements, arrays in and axes out; `drawings` of the cell and its relatives."""

from lstm_tutorial.figures.drawings import COLOURS, draw_cell, draw_gate, draw_unrolled, tint
from lstm_tutorial.figures.plots import (
    POOL_LOOKS,
    plot_choice,
    plot_gate_values,
    plot_gates,
    plot_gradient_by_lag,
    plot_half_life,
    plot_letters,
    plot_losses,
    plot_over,
    plot_scores,
    plot_updates,
    pool_key,
    shades,
    use_course_style,
)

__all__ = ["COLOURS", "POOL_LOOKS", "draw_cell", "draw_gate", "draw_unrolled", "plot_choice", "plot_gates"]
__all__ += ["plot_gradient_by_lag", "plot_half_life", "plot_letters", "plot_losses", "plot_gate_values", "plot_over"]
__all__ += ["plot_scores", "plot_updates", "pool_key", "shades", "tint", "use_course_style"]
