"""Build the book on paper into dist/: `make pdf` and `make epub`.

Both are made from the site's `_config.yml` and `_toc.yml`, with the settings of `config.yml` beside this script and
the solutions in a part of their own at the end. Nothing of `_build/html` is read or written.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NAME = "lstm-from-the-gates-up"
TOOLS = {"pdf": ["xelatex", "latexmk", "rsvg-convert"], "epub": []}
PACKAGES = (
    "texlive-xetex texlive-latex-extra texlive-fonts-recommended texlive-lang-chinese latexmk librsvg2-bin "
    "fonts-texgyre fonts-texgyre-math fonts-dejavu fonts-wqy-zenhei"
)


def main(edition, target, work):
    """Build one edition, `pdf` or `epub`, in the folder `work`; write it to the folder `target`."""
    if missing := [tool for tool in TOOLS[edition] if shutil.which(tool) is None]:
        raise SystemExit(f"make {edition} needs {', '.join(missing)}. On Debian and Ubuntu: apt install {PACKAGES}")
    work = work / edition
    work.mkdir(parents=True, exist_ok=True)
    for name, content in {"config": config(edition), "toc": contents()}.items():
        (work / f"{name}.yml").write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
    shutil.rmtree(work / "_build", ignore_errors=True)
    builder = ["latex"] if edition == "pdf" else ["custom", "--custom-builder", "epub"]
    command = [Path(sys.executable).with_name("jupyter-book"), "build"]
    command += [ROOT, "--path-output", work, "--config", work / "config.yml", "--toc", work / "toc.yml"]
    command += ["--builder", *builder, "-W", "-n", "--keep-going"]
    run(command, cwd=ROOT)
    made = work / "_build" / ("latex" if edition == "pdf" else "epub")
    if edition == "pdf":
        run(["latexmk", "-xelatex", "-interaction=nonstopmode", "-halt-on-error", "-silent", f"{NAME}.tex"], cwd=made)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy(made / f"{NAME}.{edition}", target)
    print(f"{target / NAME}.{edition}: {(target / f'{NAME}.{edition}').stat().st_size / 1e6:.1f} MB")


def run(command, cwd):
    """Run a command; stop with its exit status if it fails."""
    if status := subprocess.run(command, cwd=cwd, env=os.environ | {"PYTHONHASHSEED": "0"}).returncode:
        raise SystemExit(status)


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def version():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def config(edition):
    """Return the site's configuration, changed as `config.yml` says."""
    site, changes = read(ROOT / "_config.yml"), read(HERE / "config.yml")
    site["sphinx"]["local_extensions"] = {"quiz": str(ROOT / "book" / "_ext")}
    site["latex"] = {"latex_engine": "xelatex", "use_jupyterbook_latex": False}
    site["latex"]["latex_documents"] = {"targetname": f"{NAME}.tex"}
    settings = site["sphinx"]["config"]
    settings = {key: value for key, value in settings.items() if not key.startswith("copybutton_")}
    site["sphinx"]["config"] = settings = settings | {"today": site["copyright"]}
    for change in (changes["both"], changes[edition]):
        kept = [name for name in settings["extensions"] if name not in change.get("without", [])]
        settings["extensions"] = kept + change.get("extensions", [])
        settings.update(change.get("config", {}))
    if edition == "pdf":
        settings["latex_elements"]["preamble"] = (HERE / "preamble.tex").read_text(encoding="utf-8")
    else:
        settings |= {"epub_basename": NAME, "epub_title": site["title"], "version": version(), "release": version()}
    return site


def contents():
    """Return the site's table of contents with all solutions in a last part."""
    toc, solutions = read(ROOT / "_toc.yml"), []
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            sections = chapter.get("sections", [])
            solutions += [page for page in sections if page["file"].startswith("book/solutions/")]
            chapter["sections"] = [page for page in sections if page not in solutions]
            if not chapter["sections"]:
                del chapter["sections"]
    toc["parts"].append({"caption": "Solutions", "chapters": solutions})
    return toc


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("edition", choices=["pdf", "epub"])
    parser.add_argument("--target", type=Path, default=ROOT / "dist", help="folder of the finished book")
    parser.add_argument("--work", type=Path, default=ROOT / "_build" / "paper", help="folder for the steps between")
    main(**vars(parser.parse_args()))
