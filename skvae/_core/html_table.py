"""Tables for notebooks: plain rows in, HTML out."""

from html import escape
from numbers import Integral, Real

# No more rows than these are shown; a note says how many are left.
_MAX_ROWS = 60
_NOTHING = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"

# Colours are those of the page or a grey that shows on all: themes are dark and light.
_STYLE = """
.skvae-table { overflow-x: auto; color: inherit; }
.skvae-table + .skvae-table { margin-top: 1em; }
.skvae-table table { border-collapse: collapse; border: none; color: inherit;
  font-size: .93em; margin: .4em 0; }
.skvae-table caption { caption-side: top; text-align: left; color: inherit;
  font-weight: 600; padding: 0 .8em .5em; white-space: nowrap; }
.skvae-table th, .skvae-table td { text-align: left; vertical-align: baseline;
  padding: .3em .8em; border: none; line-height: 1.35; }
.skvae-table th { font-weight: 500; }
.skvae-table thead th { font-weight: 400; opacity: .75; white-space: nowrap;
  vertical-align: bottom; border-bottom: 1px solid; }
.skvae-table tbody tr + tr > * { border-top: 1px solid rgb(128 128 128 / 25%); }
.skvae-table tbody th, .skvae-table tfoot th { white-space: nowrap; }
.skvae-table tfoot > tr > * { font-weight: 600; border-top: 1px solid; }
.skvae-table .skvae-number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.skvae-table ul { margin: .5em 0; padding: 0 .8em 0 2em; max-width: 46em;
  font-size: .93em; }
"""


def html_table(caption, header, rows, *, footer=(), notes=()):
    """Return a table as HTML that needs nothing from outside, with all text escaped.

    Parameters
    ----------
    caption : str
        What the table shows.

    header : sequence of str
        The names of the columns.

    rows : iterable of sequences
        Cells, the first of a row being its name. Of a column that holds numbers these
        stand at the right, with three decimals unless they are whole; None and NaN
        are a dash.

    footer : sequence, default=()
        The first cells of a last row, set apart: what the others come to.

    notes : iterable of str, default=()
        Sentences to stand below.

    Returns
    -------
    html : str
        A ``<div>`` with its style.

    Examples
    --------
    >>> from skvae._core.html_table import html_table
    >>> html = html_table("Scores", ["column", "score"], [("<age>", 0.51234)])
    >>> print(html[html.index("<tbody>") + 7 : html.index("</tbody>")])
    <tr><th scope="row">&lt;age&gt;</th><td class="skvae-number">0.512</td></tr>
    """
    header, rows, notes = list(header), [list(row) for row in rows], list(notes)
    n_left = len(rows) - _MAX_ROWS
    if n_left > 0:
        rows = rows[:_MAX_ROWS]
        notes.append(f"{n_left} more row{'s' * (n_left > 1)}.")
    is_number = _columns_of_numbers(rows, len(header))
    body = "".join(_row(row, is_number) for row in rows)
    last = [*footer, *[""] * (len(header) - len(footer))]
    foot = f"<tfoot>{_row(last, is_number)}</tfoot>" if footer else ""
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return (
        f'<div class="skvae-table"><style>{_STYLE}</style>'
        f"<table><caption>{escape(caption)}</caption>"
        f"<thead>{_head(header, is_number)}</thead><tbody>{body}</tbody>{foot}</table>"
        + (f"<ul>{items}</ul>" if items else "")
        + "</div>"
    )


def _columns_of_numbers(rows, n_columns):
    """Return which columns hold numbers, if any; the first holds names."""
    return [False] + [
        all(row[j] is None or _is_number(row[j]) for row in rows)
        for j in range(1, n_columns)
    ]


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool)


def _head(header, is_number):
    cells = zip(header, is_number, strict=True)
    return f"<tr>{''.join(_cell('th', 'col', *cell) for cell in cells)}</tr>"


def _row(row, is_number):
    name, *cells = zip(row, is_number, strict=True)
    others = "".join(_cell("td", None, *cell) for cell in cells)
    return f"<tr>{_cell('th', 'row', *name)}{others}</tr>"


def _cell(tag, scope, value, is_number):
    scope = f' scope="{scope}"' if scope else ""
    number = ' class="skvae-number"' if is_number else ""
    return f"<{tag}{scope}{number}>{escape(_text(value))}</{tag}>"


def _text(value):
    """Return what a cell reads."""
    if value is None or value != value:  # NaN is not itself
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _digits(value) if isinstance(value, Real) else str(value)


def _digits(number):
    """Return a number with no more digits than scores are known to."""
    if isinstance(number, Integral):
        text = str(number)
    else:
        number = float(number)
        text = f"{number:z.3f}" if abs(number) < 1000 else f"{number:,.0f}"
    return text.replace("-", _MINUS)
