"""Writes what the product is made of as CycloneDX 1.6 JSON: the packages that the locks name.

python -m tools.bill_of_materials [FILE]

Python packages come from requirements.txt and front-end files from package-lock.json, each with
the hashes that the set-up holds them to. Tools of development are no part of the product. Without
a file it goes to standard output. Needs the packages of requirements-dev.txt.
"""

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from pip_requirements_parser import RequirementsFile

ROOT = Path(__file__).resolve().parents[1]


def python_packages(lock: Path = ROOT / "requirements.txt") -> Iterator[Component]:
    """Yield each package of a lock; a hash stands for each of its files that may be installed."""
    for one in RequirementsFile.from_file(str(lock)).requirements:
        version = one.get_pinned_version
        yield Component(
            name=one.name,
            version=version,
            type=ComponentType.LIBRARY,
            purl=PackageURL("pypi", name=one.name, version=version),
            bom_ref=f"pypi/{one.name}@{version}",
            hashes=[
                HashType(alg=HashAlgorithm.SHA_256, content=text.removeprefix("sha256:"))
                for text in one.hash_options
            ],
        )


def front_end_files(lock: Path = ROOT / "package-lock.json") -> Iterator[Component]:
    """Yield each npm package whose files are served; a lock gives the SHA-512 in base64."""
    for path, about in json.loads(lock.read_text())["packages"].items():
        name = path.removeprefix("node_modules/")
        if not name or about.get("dev"):
            continue
        space, _, short = name.rpartition("/")
        digest = base64.b64decode(about["integrity"].removeprefix("sha512-")).hex()
        yield Component(
            name=short,
            group=space or None,
            version=about["version"],
            type=ComponentType.LIBRARY,
            purl=PackageURL("npm", namespace=space or None, name=short, version=about["version"]),
            bom_ref=f"npm/{name}@{about['version']}",
            hashes=[HashType(alg=HashAlgorithm.SHA_512, content=digest)],
            licenses=[LicenseExpression(about["license"])],
        )


def bill_of_materials() -> str:
    """Return the whole as JSON; but for its serial number and its moment it is the same again."""
    product = Component(name="hematovision", type=ComponentType.APPLICATION, bom_ref="hematovision")
    bom = Bom(components=[*python_packages(), *front_end_files()])
    bom.metadata.component = product
    bom.register_dependency(product, bom.components)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def main(arguments: list[str]) -> None:
    """Write it where it is wanted."""
    text = bill_of_materials() + "\n"
    if arguments:
        Path(arguments[0]).write_text(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
