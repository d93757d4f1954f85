"""Dress everybody in a folder of pictures: python examples/dress_a_folder.py PEOPLE GARMENT.jpg OUT"""

from __future__ import annotations

import sys
from pathlib import Path

from vastra_live.errors import NothingToFitError
from vastra_live.photo import try_on
from vastra_live.pictures import is_picture, read_picture, write_picture
from vastra_live.wardrobe.intake import read_garment


def main(people: Path, garment: Path, out: Path) -> None:
    """Write a dressed picture for each one in which somebody can be dressed."""
    worn = read_garment(garment)
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(filter(is_picture, people.iterdir())):
        try:
            write_picture(out / f"{path.stem}.jpg", try_on(read_picture(path).bgr, worn))
        except NothingToFitError as error:
            sys.stderr.write(f"{path}: {error}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
