"""A build in two thirds of its time, for twice its memory, a gigabyte.

Python looks for cycles of objects that nobody needs any more. It would walk through the pages in memory again and again,
and free next to nothing: everything is needed to the end.
"""

import gc


def setup(app):
    gc.disable()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
