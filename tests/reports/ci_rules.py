"""What two schemas of others allow in a JUnit file, element by element, and what a file has beyond it.

The tables were read from these files, which stay where they are:

* `XUNIT`: `junit-10.xsd` of Jenkins' xUnit plug-in 3.1.6 (jenkinsci/xunit-plugin), beside its class
  `org.jenkinsci.plugins.xunit.types.model.JUnit10`. The plug-in refuses a file that is against it.
* `SUREFIRE`: `surefire-test-report-3.0.xsd` of apache/maven-surefire, among the site's resources of the plug-in.

Both know more elements (`rerunFailure`, say). What we never write is not in the tables.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Of one element: its attributes (True: required), and its children. `ordered`: in the order given, and `once`
    those that may not stand twice.
    """

    attributes: Mapping[str, bool]
    children: tuple[str, ...] = ()
    ordered: bool = False
    once: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Schema:
    name: str
    roots: tuple[str, ...]
    rules: Mapping[str, Rule]
    time: re.Pattern[str]
    timed: tuple[str, ...]  # the elements of which the schema holds the time to that pattern


def _named(required: str, optional: str = "") -> dict[str, bool]:
    return dict.fromkeys(required.split(), True) | dict.fromkeys(optional.split(), False)


PROPERTIES = {"properties": Rule({}, ("property",)), "property": Rule(_named("name value"))}
OUTPUT = {"system-out": Rule({}), "system-err": Rule({})}

XUNIT = Schema(
    "Jenkins xUnit plug-in 3.1.6, junit-10.xsd",
    ("testsuites", "testsuite"),
    {
        **PROPERTIES,
        **OUTPUT,
        "testsuites": Rule(_named("", "name time tests failures errors"), ("testsuite",)),
        "testsuite": Rule(
            _named("name tests failures errors", "group time skipped timestamp hostname id package file log url"),
            ("testsuite", "properties", "testcase", "system-out", "system-err"),
        ),
        "testcase": Rule(
            _named("name", "time classname group"), ("skipped", "error", "failure", "system-out", "system-err")
        ),
        "failure": Rule(_named("", "type message")),
        "error": Rule(_named("", "type message")),
        "skipped": Rule(_named("", "type message")),
    },
    re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?"),
    ("testsuites", "testsuite"),
)

SUREFIRE = Schema(
    "surefire-test-report-3.0.xsd",
    ("testsuite",),
    {
        **PROPERTIES,
        **OUTPUT,
        "testsuite": Rule(
            _named("name tests errors skipped failures", "version time group"), ("properties", "testcase"), ordered=True
        ),
        "testcase": Rule(
            _named("name time", "classname group"),
            ("failure", "skipped", "error", "system-out", "system-err"),
            ordered=True,
            once=frozenset(("skipped", "error", "system-out", "system-err")),
        ),
        "failure": Rule(_named("type", "message")),
        "error": Rule(_named("type", "message")),
        "skipped": Rule(_named("", "message")),
    },
    re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?"),
    ("testsuite", "testcase"),
)


def breaches(root: ET.Element, schema: Schema) -> Iterator[str]:
    """What the file has that the schema does not allow, a sentence each."""
    if root.tag not in schema.roots:
        yield f"{root.tag} is no root"
    for element in root.iter():
        rule = schema.rules.get(element.tag)
        if rule is None:
            yield f"there is no {element.tag}"
        else:
            yield from _of_one(element, rule, schema)


def _of_one(element: ET.Element, rule: Rule, schema: Schema) -> Iterator[str]:
    tag = element.tag
    yield from (f"{tag} has no attribute {name}" for name in element.attrib if name not in rule.attributes)
    yield from (f"{tag} lacks {name}" for name, must in rule.attributes.items() if must and name not in element.attrib)
    yield from (f"{child.tag} in {tag}" for child in element if child.tag not in rule.children)
    places = [rule.children.index(child.tag) for child in element if child.tag in rule.children]
    if rule.ordered and places != sorted(places):
        yield f"the order in {tag}"
    yield from (f"{name} twice in {tag}" for name in rule.once if len(element.findall(name)) > 1)
    if tag in schema.timed and not schema.time.fullmatch(element.get("time", "")):
        yield f"the time of {tag}"
