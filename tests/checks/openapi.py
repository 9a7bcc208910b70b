"""Rules of the OpenAPI document that generators and linters of such documents have.

  openapi.py DOCUMENT       prints what breaks a rule and ends with 1

Examples are held against their schemas by python3-jsonschema; the rest is what made clients not compile,
or refuse good answers, in one of Python, TypeScript, Java and Go.
"""
import json
import re
import sys

from jsonschema import Draft202012Validator

CHOICES = ("oneOf", "anyOf", "allOf")
METHODS = ("get", "put", "post", "delete", "patch")
# Models of these names are renamed by a generator, or hide a type of the language.
RESERVED = {"Class", "Error", "Exception", "File", "List", "Map", "Object", "Record", "Response", "Set", "String"}
SCHEMAS = "#/components/schemas/"


class Document:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = json.load(file)
        self.schemas = self.root["components"]["schemas"]
        self.faults = []

    def fault(self, place, what):
        self.faults.append(f"{place}: {what}")

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.root
            for step in node["$ref"][2:].split("/"):
                target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
            node = target
        return node

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    yield f"{method.upper()} {path}", item[method]

    def parameters(self, operation):
        return [self.resolve(parameter) for parameter in operation.get("parameters", [])]


def every(node, place=""):
    """Every object of the document, with its place."""
    if isinstance(node, dict):
        yield place, node
        for name, member in node.items():
            yield from every(member, f"{place}/{name}")
    elif isinstance(node, list):
        for i, item in enumerate(node):
            yield from every(item, f"{place}/{i}")


def children(schema):
    for name, member in schema.get("properties", {}).items():
        yield name, member
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield name, schema[name]
    for choice in CHOICES:
        for i, member in enumerate(schema.get(choice, [])):
            yield f"{choice}/{i}", member


def check_references(document):
    used = set()
    for place, node in every(document.root):
        target = node.get("$ref")
        if not isinstance(target, str):
            continue
        used.add(target)
        if document.resolve(node) is None:
            document.fault(place, f"refers to {target}, which is not there")
    for kind, components in document.root["components"].items():
        for name in components:
            if kind != "securitySchemes" and f"#/components/{kind}/{name}" not in used:
                document.fault(f"components/{kind}/{name}", "is used by nothing")


def check_about(document):
    info = document.root["info"]
    for member in ("title", "version", "description", "contact", "license"):
        if not info.get(member):
            document.fault("info", f"has no {member}")
    if not document.root.get("servers"):
        document.fault("servers", "are none")
    for tag in document.root["tags"]:
        if not tag.get("description"):
            document.fault(f"tag {tag['name']}", "has no description")
    for name, scheme in document.root["components"]["securitySchemes"].items():
        if not re.fullmatch(r"[\w-]*", scheme.get("bearerFormat", "")):
            document.fault(name, "bearerFormat is more than a word")


def check_operations(document):
    tags = {tag["name"] for tag in document.root["tags"]}
    ids = set()
    for place, operation in document.operations():
        name = operation.get("operationId", "")
        if not re.fullmatch(r"[a-z][A-Za-z]*", name) or name in ids:
            document.fault(place, "has no operationId of its own, in camel case")
        ids.add(name)
        for member in ("summary", "description"):
            if not operation.get(member):
                document.fault(place, f"has no {member}")
        if len(operation.get("tags", [])) != 1 or not tags.issuperset(operation["tags"]):
            document.fault(place, "has not one of the document's tags")
        if "security" not in operation and not document.root.get("security"):
            document.fault(place, "says nothing of security")
        statuses = [status for status in operation["responses"] if status.startswith("4")]
        if not statuses:
            document.fault(place, "has no answer 4xx")
        for status in [*statuses, "default"]:
            answer = document.resolve(operation["responses"].get(status, {}))
            problem = answer.get("content", {}).get("application/problem+json", {})
            if problem.get("schema") != {"$ref": SCHEMAS + "Problem"}:
                document.fault(place, f"{status} is no Problem as application/problem+json")


def contents(document):
    """Every media type with its place: of bodies and answers."""
    for place, node in every(document.root):
        if isinstance(node.get("content"), dict) and not place.startswith("/components/schemas"):
            for name, media in node["content"].items():
                if isinstance(media, dict) and "schema" in media:
                    yield f"{place}/content/{name}", media


def check_answers(document):
    """Clients in Python read JSON, text and bytes, and refuse what is none of these."""
    for place, media in contents(document):
        name = place.rsplit("/content/", 1)[-1]
        plain = name.startswith("text/") or name.endswith("json") and not name.endswith("x-ndjson")
        if "/responses/" in place and not plain and media["schema"].get("format") != "binary":
            document.fault(place, "is neither JSON nor text, and its format is not binary")


def roots(document):
    """Every schema that is no part of another."""
    for name, schema in document.schemas.items():
        yield name, schema, True
    for place, media in contents(document):
        yield place, media["schema"], False
        if "x-ndjson-line" in media and "$ref" not in media["x-ndjson-line"]:
            document.fault(place, "x-ndjson-line refers to no schema")
    for place, node in every(document.root):
        if "in" in node and "name" in node and "schema" in node:
            yield f"{place} ({node['name']})", node["schema"], False


def check_schema(document, place, schema, named):
    if "$ref" in schema:
        if "default" in schema:
            document.fault(place, "has a default beside a reference")
        return
    if not named and ("properties" in schema or any(choice in schema for choice in CHOICES)):
        document.fault(place, "is an object or a choice without a name in components/schemas")
    if schema.get("format") in ("date-time", "date") and "pattern" in schema:
        document.fault(place, "has a pattern beside its format")
    simple = schema.get("type") in ("string", "integer", "number", "boolean")
    if "default" in schema and not simple:
        document.fault(place, "has a default and is no simple value")
    types = schema.get("type")
    if isinstance(types, list) and len([one for one in types if one != "null"]) > 1:
        document.fault(place, "has several types: name it, with oneOf")
    if types == "array" and "items" not in schema:
        document.fault(place, "is a list of anything")
    if "oneOf" in schema:
        check_told_apart(document, place, schema["oneOf"])
    for name, member in children(schema):
        check_schema(document, f"{place}/{name}", member, False)


def check_told_apart(document, place, choices):
    """Not every generated client refuses unknown members: each must have one that the others lack."""
    objects = [document.resolve(one) for one in choices]
    objects = [one for one in objects if one and "properties" in one]
    for one in objects:
        for other in objects:
            if one is not other and not set(one.get("required", [])) - set(other["properties"]):
                document.fault(place, "has objects that are told apart by no member that one of them must have")
                return


def check_names(document):
    constants = {}
    for name, schema in document.schemas.items():
        if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or name in RESERVED:
            document.fault(name, "is no name for a model in every language")
        if name.startswith("New") and name[3:] in document.schemas:
            document.fault(name, f"is the name of the function that makes a {name[3:]} in Go")
        for value in schema.get("x-enum-varnames", schema.get("enum", [])):
            constant = re.sub(r"[^A-Za-z0-9]+", "_", str(value)).upper()
            if constants.setdefault(constant, name) != name:
                document.fault(name, f"has a constant of {constants[constant]}: {constant}")
                break
        if len(schema.get("x-enum-varnames", schema.get("enum", []))) != len(schema.get("enum", [])):
            document.fault(name, "has not a name for each constant")


def has_size(schema):
    if any(member in schema for member in ("enum", "const", "maxLength")):
        return True
    if schema.get("format") in ("date-time", "date"):
        return True
    pattern = re.sub(r"\\.|\[[^]]*\]", "c", schema.get("pattern", "*"))
    return not re.search(r"[*+]|\{[0-9]+,\}", pattern)


def check_sizes(document):
    seen = set()

    def walk(place, schema):
        if "$ref" in schema:
            if schema["$ref"] not in seen:
                seen.add(schema["$ref"])
                walk(schema["$ref"].split("/")[-1], document.resolve(schema))
            return
        types = schema.get("type", [])
        types = types if isinstance(types, list) else [types]
        if "string" in types and not has_size(schema):
            document.fault(place, "is input without a size: maxLength, or a pattern that has one")
        if "array" in types and "maxItems" not in schema:
            document.fault(place, "is input without a size: maxItems")
        if isinstance(schema.get("additionalProperties"), dict) and "maxProperties" not in schema:
            document.fault(place, "is input without a size: maxProperties")
        for name, member in children(schema):
            walk(f"{place}/{name}", member)

    for place, operation in document.operations():
        for parameter in document.parameters(operation):
            walk(f"{place} {parameter['name']}", parameter["schema"])
        for media in document.resolve(operation.get("requestBody", {})).get("content", {}).values():
            walk(f"{place} body", media["schema"])
            walk(f"{place} line", media.get("x-ndjson-line", {}))


def is_date_time(text):
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text) is not None


def check_example(document, place, schema, value):
    checker = Draft202012Validator.FORMAT_CHECKER
    if "date-time" not in checker.checkers:
        checker.checks("date-time")(lambda text: not isinstance(text, str) or is_date_time(text))
    whole = {**schema, "components": document.root["components"]}
    for error in Draft202012Validator(whole, format_checker=checker).iter_errors(value):
        where = "/".join(str(step) for step in error.absolute_path)
        document.fault(place, f"example /{where}: {error.message[:120]}")


def check_examples(document):
    for place, node in every(document.root):
        if "in" in node and "name" in node and "example" in node and "schema" in node:
            check_example(document, f"{place} ({node['name']})", node["schema"], node["example"])
        elif place.startswith("/components/headers/") and "example" in node:
            check_example(document, place, node["schema"], node["example"])
    for name, schema in document.schemas.items():
        for place, node in every(schema, name):
            for value in node["examples"] if isinstance(node.get("examples"), list) else []:
                check_example(document, place, node, value)
    for place, media in contents(document):
        examples = [media["example"]] if "example" in media else []
        examples += [example["value"] for example in media.get("examples", {}).values()]
        for value in examples:
            check_example(document, place, media["schema"], value)
            for line in value.splitlines() if "x-ndjson-line" in media else []:
                check_example(document, place, media["x-ndjson-line"], json.loads(line))


def main():
    document = Document(sys.argv[1])
    check_references(document)
    if not document.faults:
        check_about(document)
        check_operations(document)
        check_answers(document)
        check_names(document)
        for place, schema, named in roots(document):
            Draft202012Validator.check_schema(schema)
            check_schema(document, place, schema, named)
        check_sizes(document)
        check_examples(document)
    for fault in document.faults:
        print(f"openapi: {fault}", file=sys.stderr)
    return 1 if document.faults else 0


if __name__ == "__main__":
    sys.exit(main())
