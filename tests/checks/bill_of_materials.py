#!/usr/bin/env python3
"""A list of what is inside is CycloneDX as far as we write it, and complete.

  bill_of_materials.py BILL.cdx.json PACKAGE.deb...

Each package is in it by its hash, each library that a program of theirs names is in it, each reference leads somewhere.
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

problems = []


def check(holds, what):
    if not holds:
        problems.append(what)


def values(component, name):
    return [one["value"] for one in component.get("properties", []) if one["name"] == name]


def main(file, debs):
    bill = json.loads(pathlib.Path(file).read_text())
    check(bill.get("bomFormat") == "CycloneDX" and bill.get("specVersion") == "1.5", "it is not CycloneDX 1.5")
    check(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill.get("serialNumber", "")),
          "its serial number is none")
    check(isinstance(bill.get("version"), int), "it has no version")
    check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["metadata"]["timestamp"]), "its time is none")
    components = [bill["metadata"]["component"], *bill["components"]]
    refs = [component["bom-ref"] for component in components]
    check(len(refs) == len(set(refs)), "a reference is there twice")
    for component in components:
        name = component.get("name")
        check(component.get("type") in ("application", "library"), f"{name} has no type that is known")
        check(name and component.get("version"), f"{component['bom-ref']} has no name or no version")
        if component["type"] == "library":
            check(re.fullmatch(r"pkg:deb/debian/[a-z0-9.+-]+@[^@?+]+\?arch=[a-z0-9]+&distro=debian-\d+",
                               component.get("purl", "")), f"{name} has no package URL: {component.get('purl')}")
        for one in component.get("hashes", []):
            check(one["alg"] == "SHA-256" and re.fullmatch(r"[0-9a-f]{64}", one["content"]), f"{name} has a hash that is none")
    for dependency in bill["dependencies"]:
        check({dependency["ref"], *dependency["dependsOn"]} <= set(refs), f"{dependency['ref']} leads nowhere")
    check({dependency["ref"] for dependency in bill["dependencies"]} == set(refs), "what depends on what is not complete")

    hashes = {one["content"] for component in components for one in component.get("hashes", [])}
    libraries = {library for component in components for library in values(component, "coffer:library")}
    for deb in debs:
        check(hashlib.sha256(pathlib.Path(deb).read_bytes()).hexdigest() in hashes, f"{deb} is another than it lists")
        with tempfile.TemporaryDirectory() as work:
            subprocess.run(["dpkg-deb", "-x", deb, work], check=True)
            for path in pathlib.Path(work).rglob("*"):
                if not path.is_file() or path.is_symlink() or path.read_bytes()[:4] != b"\x7fELF":
                    continue
                said = subprocess.run(["readelf", "-d", path], check=True, stdout=subprocess.PIPE, text=True).stdout
                for library in re.findall(r"\(NEEDED\).*\[(.*)\]", said):
                    check(library in libraries or library.startswith("ld-linux"), f"{path.name} needs {library}, which is not listed")


if len(sys.argv) < 3:
    sys.exit(__doc__)
main(sys.argv[1], sys.argv[2:])
for problem in problems:
    print(f"bill_of_materials: {problem}", file=sys.stderr)
sys.exit(1 if problems else 0)
