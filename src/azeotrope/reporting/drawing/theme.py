"""One look for every figure: light, colour-blind safe, readable when printed and on a phone.

It holds colours and sizes only; what a figure shows is decided in `figures.py`.
"""

from __future__ import annotations

import altair as alt
from altair.theme import AxisConfigKwds, LegendConfigKwds

NAME = "azeotrope"

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#4D4D4D")
"""After Okabe & Ito (2008): told apart in the common forms of colour blindness; without yellow, faint on white."""

REFERENCE = "#4D4D4D"
"""The grey of the arm everything is compared with."""

INK, SOFT_INK, RULE = "#1B1F24", "#57606A", "#E3E6EA"
DARK = {
    "#0072B2": "#4FA8DC",
    "#D55E00": "#F0803C",
    "#009E73": "#2FBF95",
    "#CC79A7": "#DE9CC0",
    "#E69F00": "#F2B632",
    "#56B4E9": "#7CC8F2",
    "#7A5195": "#B38BD1",
    REFERENCE: "#B4BAC2",
    INK: "#E6E9EC",
    SOFT_INK: "#A3ABB4",
    RULE: "#343A41",
    "#AFB8C1": "#5B636C",
    "#8C959F": "#8C959F",
    "black": "#E6E9EC",
    "white": "#1D2126",
}
"""What a colour of a figure becomes on a page that a reader's system shows dark; white is the page's own paper."""
FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"  # of equal widths, so labels fit where they are read

_AXIS: AxisConfigKwds = {
    "labelFont": FONT,
    "labelFontSize": 12,
    "labelColor": SOFT_INK,
    "labelLimit": 260,
    "titleFont": FONT,
    "titleFontSize": 12,
    "titleFontWeight": 500,
    "titleColor": INK,
    "titlePadding": 10,
    "gridColor": RULE,
    "domainColor": "#AFB8C1",
    "tickColor": "#AFB8C1",
}
_LEGEND: LegendConfigKwds = {
    "labelFont": FONT,
    "labelFontSize": 12,
    "labelColor": INK,
    "labelLimit": 320,
    "titleFont": FONT,
    "titleFontSize": 12,
    "titleFontWeight": 500,
    "titleColor": SOFT_INK,
    "symbolStrokeWidth": 2,
}


@alt.theme.register(NAME, enable=False)
def theme() -> alt.theme.ThemeConfig:
    """The Vega-Lite configuration; registered but not enabled, so that a notebook's own charts keep their look."""
    return {
        "background": "white",
        "padding": 6,
        "config": {
            "font": FONT,
            "axis": _AXIS,
            "axisQuantitative": {"labelLimit": 0},  # numbers are never cut: measuring them was a fifth of a drawing
            "legend": _LEGEND,
            "title": {"font": FONT, "fontSize": 14, "fontWeight": 600, "color": INK, "anchor": "start", "offset": 12},
            "header": {"labelFont": FONT, "labelFontSize": 12, "labelColor": INK},
            "text": {"font": FONT, "fontSize": 12, "color": INK},
            "view": {"stroke": None, "continuousWidth": 560, "continuousHeight": 320, "discreteWidth": 560},
            "range": {"category": list(PALETTE)},
            "line": {"strokeWidth": 2.2},
            "rule": {"color": REFERENCE},
        },
    }
