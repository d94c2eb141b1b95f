"""XML read safely: a document that declares a type or entities is refused before anything in it is expanded."""

from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from screentime.errors import InputError


def xml_root(path: Path, name: str) -> ElementTree.Element:
    """The root element of an XML file.

    Args:
        path: the file.
        name: the root's expected name.

    Raises:
        InputError: no XML, another root, or a document type (which may hold entities that grow without bound or read files).
    """
    data = path.read_bytes()

    def refuse(*_: object) -> None:
        raise InputError(
            f"{path}: line {parser.CurrentLineNumber}: a document type (DOCTYPE) was found, plain XML was expected; export the file "
            "anew, or take that line out if you trust it"
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
        root = ElementTree.fromstring(data)
    except (expat.ExpatError, ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{path}: {error}, an XML file was expected; export it anew") from None
    if root.tag != name:
        raise InputError(
            f"{path}: a file of <{root.tag}> was found, <{name}> was expected; name its format with --from"
        )
    return root
