"""CSV for LosslessCut: `start,end,label` in seconds without a header, as its import of times in seconds expects."""

import csv
import io

from screentime.editors.listing import Listing
from screentime.files import number


def lossless_cut_text(listing: Listing) -> str:
    """One segment for each appearance, character by character, so that what is cut out of a film comes in that order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for one in listing.appearances:
        times = (number(float(listing.clock.file_s(time_s))) for time_s in (one.start_s, one.end_s))
        writer.writerow([*times, one.name])
    return text.getvalue()
