"""Tables for a terminal: cells in columns, words to the left, figures to the right."""

from collections.abc import Collection, Sequence


def table_lines(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Rows of cells as lines, indented by two.

    Args:
        rows: the cells, as many in each row; the first row may be the header.
        left: the columns that are set to the left; the others are set to the right.

    >>> table_lines([("", "seconds"), ("tom", "7")], left=[0])
    ['       seconds', '  tom        7']
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines
