#!/usr/bin/python3
"""Makes sample configurations and manuals from what is documented once: options and JSON members in .opt files (the
format of strongSwan's conf/options), the D-Bus interface in its introspection XML.

    options.py conf PREFIX FILE.opt   a sample configuration, of what is below PREFIX
    options.py page VERSION FILE.in   a manual; in it, on lines of their own:
                                      @OPTIONS FILE@, @MEMBERS FILE@ (.opt) and @INTERFACE FILE@ (XML)

In an .opt file a line "KEY = VALUE", "KEY := VALUE" (set in the sample) or "SECTION {}" is followed by paragraphs behind
tabs: the brief one is for the sample, the others, or it where there are none, for the manual. **bold**, _italic_; a
paragraph behind two tabs stands as it is.
"""

import re
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

HEADING = re.compile(r"(?P<key>[^\s=:{]+) ?(?:(?P<section>\{\})|(?P<assign>:?=) ?(?P<value>.*))?$")
WIDTH = 100


class Mistake(Exception):
    """Something in a file that cannot be made sense of; the text says where."""


@dataclass
class Option:
    """An option, a member or a section, as it is documented."""

    key: str
    section: bool
    value: str
    preset: bool
    paragraphs: list = field(default_factory=list)

    @property
    def path(self) -> list:
        return self.key.split(".")

    @property
    def brief(self) -> str:
        return self.paragraphs[0]

    @property
    def full(self) -> list:
        return self.paragraphs[1:] or self.paragraphs


def read(path: str) -> list:
    """The options of a file, in its order."""
    options, paragraph = [], []

    def finish():
        if paragraph:
            options[-1].paragraphs.append("\n".join(paragraph))
            paragraph.clear()

    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        if line.startswith("\t") and options:
            paragraph.append(line[1:])
            continue
        if options:
            finish()
        if not line or line.startswith("#"):
            continue
        heading = HEADING.match(line)
        if not heading:
            raise Mistake(f"{path}:{number}: neither an option nor the text of one")
        options.append(Option(heading["key"], bool(heading["section"]), heading["value"] or "",
                              heading["assign"] == ":="))
    finish()
    for option in options:
        if not option.paragraphs:
            raise Mistake(f"{path}: {option.key} is not documented")
    return options


# Sample configuration


def sample(options: list, prefix: str) -> str:
    """All options below prefix, commented out unless they are preset."""
    lines, depth = [], len(prefix.split(".")) if prefix else 0
    open_sections = []

    def close(until: list):
        while open_sections and open_sections[-1] != until[:len(open_sections[-1])]:
            level = len(open_sections.pop()) - depth - 1
            lines.append("    " * level + mark + "}")

    shown = [option for option in options if option.key.startswith(prefix)]
    mark = "" if any(option.preset for option in shown) else "# "
    for option in shown:
        close(option.path)
        indent = "    " * (len(option.path) - depth - 1)
        if lines and lines[-1]:
            lines.append("")
        lines += textwrap.wrap(_plain(option.brief), WIDTH, initial_indent=f"{indent}# ",
                               subsequent_indent=f"{indent}# ", break_on_hyphens=False)
        name = option.path[-1]
        if option.section:
            lines += [f"{indent}{mark}{name} {{", ""]
            open_sections.append(option.path)
        else:
            lines.append(f"{indent}{'' if option.preset else '# '}{name} = {option.value}".rstrip())
    close([""])
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return re.sub(r"\*\*(.+?)\*\*|(?<![\w/])_(.+?)_(?!\w)", lambda found: found[1] or found[2], text)


# Manuals


def roff(text: str) -> str:
    """Text for a manual, with its emphasis."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("^", r"\(ha").replace("~", r"\(ti")
    text = re.sub(r"\*\*(.+?)\*\*", r"\\fB\1\\fR", text)
    text = re.sub(r"(?<![\w/])_(.+?)_(?!\w)", r"\\fI\1\\fR", text)
    return "\n".join(r"\&" + line if line.startswith((".", "'")) else line for line in text.splitlines())


def paragraphs(texts: list) -> list:
    """Paragraphs, one behind the other; what stands behind a tab of its own is not filled."""
    lines = []
    for index, text in enumerate(texts):
        if index:
            lines.append(".sp")
        if text.startswith("\t"):
            lines += [".nf", roff(textwrap.dedent(text.expandtabs(4))), ".fi"]
        else:
            lines.append(roff("\n".join(textwrap.wrap(text, WIDTH, break_on_hyphens=False))))
    return lines


def tagged(options: list) -> list:
    """A list of options or members, with their values where there are."""
    lines = []
    for option in options:
        value = f" [{roff(option.value)}]" if option.value else ""
        if option.section:
            lines += [f".SS {roff(option.key)}", *paragraphs(option.full)]
        else:
            lines += [".TP", rf"\fB{roff(option.key)}\fR{value}", *paragraphs(option.full)]
    return lines


def interface(path: str) -> list:
    """Methods and signals, and what the comments before them say."""
    lines = []
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    tree = ElementTree.parse(path, parser).getroot().find("interface")
    comment = None
    for element in tree:
        if element.tag is ElementTree.Comment:
            comment = textwrap.dedent(element.text.strip("\n").expandtabs(4))
            continue
        if comment is None:
            raise Mistake(f"{path}: {element.get('name')} has no comment")
        arguments = {"in": [], "out": []}
        for argument in element.iter("arg"):
            arguments[argument.get("direction", "out")].append(f"{argument.get('type')} {argument.get('name')}")
        given, returned = (", ".join(arguments[direction]) for direction in ("in", "out"))
        if element.tag == "signal":
            synopsis = f"({returned})"
        else:
            synopsis = f"({given})" + (f" -> ({returned})" if returned else "")
        lines += [f".SS {element.get('name')} ({element.tag})", ".nf", rf"\fB{element.get('name')}\fR{roff(synopsis)}", ".fi"]
        lines += [".PP", *_comment(comment)]
        comment = None
    return lines


def _comment(text: str) -> list:
    """What follows the name. Prose is filled; tables, which are indented, stand as they are."""
    lines, table = [], False
    text = text.partition(": ")[2]
    # Which rule it follows is for who works on the code.
    text = re.sub(r" \(I\d+\)", "", text[:1].upper() + text[1:])
    for line in text.rstrip().splitlines():
        indented = line.startswith("    ")
        if indented != table:
            lines.append(".nf" if indented else ".fi")
            table = indented
        lines.append(roff(line))
    return lines + ([".fi"] if table else [])


def page(version: str, path: str) -> str:
    makers = {"OPTIONS": lambda name: tagged(read(name)), "MEMBERS": lambda name: tagged(read(name)),
              "INTERFACE": interface}
    lines = []
    for line in Path(path).read_text().splitlines():
        order = re.fullmatch(r"@(\w+) (\S+)@", line)
        if order:
            # Files are named from the top of the source, and a manual is one folder below it.
            lines += makers[order[1]](str(Path(path).parent.parent / order[2]))
        else:
            lines.append(line.replace("@VERSION@", version))
    return "\n".join(lines) + "\n"


def main(arguments: list) -> int:
    try:
        if len(arguments) == 3 and arguments[0] == "conf":
            sys.stdout.write(sample(read(arguments[2]), arguments[1]))
        elif len(arguments) == 3 and arguments[0] == "page":
            sys.stdout.write(page(arguments[1], arguments[2]))
        else:
            print(__doc__.strip(), file=sys.stderr)
            return 2
    except (Mistake, OSError) as error:
        print(f"options.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
