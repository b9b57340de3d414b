"""JSON schemas of our models, as the documents want them."""

import inspect
from typing import Any, TypeAlias

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

Document: TypeAlias = dict[str, Any]

REF_TEMPLATE = "#/components/schemas/{model}"


class Schemas(GenerateJsonSchema):
    """Pydantic's schemas without a title on every field, which repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        # What we send is complete: a default is written out as well.
        return self.mode == "serialization" or super().field_is_required(field, total)


def say_first(documented: object) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(documented) or "").partition("\n\n")[0].split())


def say_rest(documented: object) -> str:
    """What a docstring says after its first paragraph."""
    return (inspect.getdoc(documented) or "").partition("\n\n")[2]


def say_kind(schema: Document) -> str:
    """Name the kind of a field in a word or two."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(say_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {say_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def list_fields(schema: Document) -> list[tuple[str, str]]:
    """A model's fields and their kinds; those that may be missing say so."""
    required = schema.get("required", [])
    return [
        (name, say_kind(field) + ("" if name in required else ", may be missing"))
        for name, field in schema.get("properties", {}).items()
    ]
