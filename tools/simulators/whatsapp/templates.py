"""Approved templates, filled in."""

import re
from collections.abc import Sequence

from tools.simulators.json_value import JsonObject

from .errors import refusal
from .settings import TemplateSettings

_PARAMETER = re.compile(r"\{\{(\d+)\}\}")


def render(templates: Sequence[TemplateSettings], node: JsonObject) -> str:
    """The text of a template message.

    Raises:
        GraphError: 132001 no such template in this language; 132000 not as many parameters as it has.
    """
    name, language = node["name"], node["language"]["code"]
    template = next((each for each in templates if (each.name, each.language) == (name, language)), None)
    if template is None:
        raise refusal(132001, f"template name ({name}) does not exist in {language}")
    expected = len(set(_PARAMETER.findall(template.body)))
    values = _body_parameters(node)
    if len(values) != expected:
        raise refusal(
            132000,
            f"body: number of localizable_params ({len(values)}) does not match the expected number of params "
            f"({expected})",
        )
    return _PARAMETER.sub(lambda match: values[int(match[1]) - 1], template.body)


def _body_parameters(node: JsonObject) -> list[str]:
    for component in node.get("components", []):
        if isinstance(component, dict) and str(component.get("type", "")).lower() == "body":
            parameters = component.get("parameters")
            if not isinstance(parameters, list):
                return []
            return [str(each.get("text", "")) for each in parameters if isinstance(each, dict)]
    return []
