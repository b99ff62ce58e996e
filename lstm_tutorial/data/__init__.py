"""Extracts of public data, shipped with the package; README.md beside this file has their sources and licences."""

import gzip
import hashlib
from importlib.resources import files

SHA256 = {
    "cities.csv.gz": "c601de90efda9ff8005fc9cb424d2813aa01e141ae7e7420b61d4c44140cfe9a",
    "cmudict.txt.gz": "26e0c4bf0a1f01f53eb4eb289b52eb8baf50f909cdc9f90ec92d7b27b44f71cf",
    "sunspots.csv.gz": "e63571f94e450b04b2c9809d64a565f6dac7e7e09623795493ab4c8605de46e8",
    "vowels.csv.gz": "61fbf62624f08fcd4413d8c073e8f8393bd1218781a42e25257fa19a5f93bd3e",
}
FOLDER = files(__name__)


def read(name):
    """Return the text of an extract, when it is byte for byte the one that the package came with.

    Parameters
    ----------
    name : str
        A key of `SHA256`.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If the package has no extract of that name, or the file has been altered.

    Examples
    --------
    >>> read("sunspots.csv.gz").splitlines()[:3]
    ['year,sunspots', '1700,5.0', '1701,11.0']
    """
    if name not in SHA256:
        raise ValueError(f"name must be one of {', '.join(SHA256)}, got {name!r}")
    path = FOLDER / name
    again = "install lstm-tutorial again, or see lstm_tutorial/data/README.md for how the file is made"
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} must come with the package, got no such file: {again}") from None
    digest = hashlib.sha256(packed).hexdigest()
    if digest != SHA256[name]:
        raise ValueError(f"{path} must have the SHA-256 {SHA256[name]}, got {digest}: {again}")
    return gzip.decompress(packed).decode()
