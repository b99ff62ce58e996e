"""The build in two thirds of the time, for a gigabyte of memory instead of half of one.

Python looks for cycles of objects that nobody needs any more. It would walk through the pages in memory again and
again, a third of the whole time, and free little: almost everything is needed to the end.
"""

import gc


def setup(app):
    gc.disable()
    return {"parallel_read_safe": True, "parallel_write_safe": True}
