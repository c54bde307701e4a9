"""The simulated account's template engine: what it knows, and how it refuses what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from route53_takeover.core.domain.template import TemplateError, parse_template
from route53_takeover.simulation.aws.cloudformation.template import Template

PSEUDO = {
    "AWS::Region": "us-east-1",
    "AWS::StackName": "app",
    "AWS::Partition": "aws",
    "AWS::NoValue": "",
}


def template(text: str, **given: str) -> Template:
    return Template(parse_template(text), given, PSEUDO)


def lookup(name: str, attribute: str | None) -> str:
    return f"<{name}>" if attribute is None else f"<{name}.{attribute}>"


def value(expression: str, **given: str) -> Any:
    """What an expression becomes as a property."""
    text = f"""
Parameters:
  Host: {{Type: String, Default: www}}
  Names: {{Type: CommaDelimitedList, Default: "a, b"}}
  Enabled: {{Type: String, Default: "true"}}
Conditions:
  IsOn: !Equals [!Ref Enabled, "true"]
  IsOff: !Not [!Condition IsOn]
  Both: !And [!Condition IsOn, !Condition IsOff]
  Either: !Or [!Condition IsOn, !Condition IsOff]
Resources:
  Other: {{Type: AWS::S3::Bucket}}
  It:
    Type: AWS::S3::Bucket
    Properties:
      Value: {expression}
"""
    return template(text, **given).properties("It", lookup).get("Value", "absent")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Ref Host", "www"),
        ("!Ref Names", ["a", "b"]),
        ("!Ref Other", "<Other>"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!GetAtt Other.Arn", "<Other.Arn>"),
        ("{'Fn::GetAtt': [Other, 'Outputs.X']}", "<Other.Outputs.X>"),
        (
            '!Sub "${Host}.example.com/${!Host}/${Other}/${Other.Arn}/${AWS::StackName}"',
            "www.example.com/${Host}/<Other>/<Other.Arn>/app",
        ),
        ('!Sub ["${A}-${Host}", {A: !Ref Other, Host: x}]', "<Other>-x"),
        ('!Join ["-", [a, !Ref Host, !Ref Other]]', "a-www-<Other>"),
        ('!Join [",", !Ref Names]', "a,b"),
        ("!Select [1, !Ref Names]", "b"),
        ('!Select ["0", !Split [".", "x.y"]]', "x"),
        ('!Split [".", !Sub "${Host}.b"]', ["www", "b"]),
        ("!If [IsOn, yes-it-is, 'no']", "yes-it-is"),
        ("!If [IsOff, 1, 2]", "2"),
        ("!If [Both, 1, !If [Either, 3, 4]]", "3"),
        ("!If [IsOff, 1, !Ref AWS::NoValue]", "absent"),
        ("[a, !If [IsOff, 1, !Ref AWS::NoValue], c]", ["a", "c"]),
        ("{A: 60, B: true, C: 1.5}", {"A": "60", "B": "true", "C": "1.5"}),
    ],
)
def test_every_function_that_is_known_gives_its_value(expression: str, expected: object) -> None:
    assert value(expression) == expected


def test_a_given_parameter_wins_over_its_default() -> None:
    assert value("!If [IsOn, 1, 2]", Enabled="false") == "2"


@pytest.mark.parametrize("name", ["FindInMap", "Base64", "ForEach::Loop"])
def test_a_function_that_is_not_known_is_named(name: str) -> None:
    with pytest.raises(TemplateError, match=f"Fn::{name} is not supported"):
        value(f"[{{A: {{'Fn::{name}': [a, b]}}}}]")


def test_a_function_that_is_not_known_is_named_in_a_condition_and_an_output_too() -> None:
    for part in (
        "Conditions: {C: {'Fn::Contains': [[a], a]}}",
        "Outputs: {O: {Value: {'Fn::Cidr': [a]}}}",
    ):
        with pytest.raises(TemplateError, match=r"Fn::C\w+ is not supported"):
            template(f"Resources: {{A: {{Type: T}}}}\n{part}")


@pytest.mark.parametrize(
    "expression",
    [
        *("!Join [a]", "!If [IsOn]", "!Select [9, [a]]", "!GetAtt Other", "!Sub [a]", "!Ref [a]"),
        "null",
    ],
)
def test_a_function_that_is_called_wrongly_is_refused(expression: str) -> None:
    with pytest.raises(TemplateError):
        value(expression)


def test_a_missing_and_an_unknown_parameter_are_named() -> None:
    text = "{Parameters: {A: {Type: String}}, Resources: {R: {Type: T}}}"
    with pytest.raises(TemplateError, match=r"Parameters: \[A\] must have values"):
        template(text)
    with pytest.raises(TemplateError, match=r"Parameters: \[B\] do not exist in the template"):
        template(text, A="1", B="2")


def test_a_reference_to_nothing_is_refused_before_anything_is_created() -> None:
    with pytest.raises(TemplateError, match=r"Unresolved resource dependencies \[Nobody\]"):
        value("!Ref Nobody")
    with pytest.raises(TemplateError, match=r"Unresolved resource dependencies \[X\]"):
        value('!Sub "${X}"')


def test_a_resource_whose_condition_does_not_hold_is_left_out() -> None:
    found = template(
        """
Parameters: {On: {Type: String}}
Conditions: {Wanted: !Equals [!Ref On, "true"]}
Resources:
  A: {Type: T, DependsOn: B}
  B: {Type: T, Condition: Wanted}
Outputs:
  B: {Condition: Wanted, Value: !Ref B}
""",
        On="false",
    )
    assert list(found.resources) == ["A"]
    assert found.resources["A"].depends == frozenset()
    assert found.outputs(lookup) == {}


def test_resources_that_wait_for_each_other_are_refused_by_name() -> None:
    with pytest.raises(TemplateError, match=r"Circular dependency between resources: \[A, B\]"):
        template("Resources: {A: {Type: T, DependsOn: B}, B: {Type: T, DependsOn: A}}")


def test_conditions_that_need_each_other_are_refused() -> None:
    with pytest.raises(TemplateError, match="circular"):
        template(
            "{Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]},"
            " Resources: {R: {Type: T, Condition: A}}}"
        )


def test_what_the_simulation_is_asked_for_is_read_from_the_metadata() -> None:
    asked = template(
        "Resources: {R: {Type: T, DeletionPolicy: Retain, Metadata: {Simulation: "
        "{Seconds: 3, Fail: broken, FailOn: [update, rollback], Attributes: {Arn: x}}}}}"
    ).resources["R"]
    assert (asked.deletion_policy, asked.simulation.seconds) == ("Retain", 3.0)
    assert [asked.simulation.fails(action) for action in ("create", "update", "rollback")] == [
        "",
        "broken",
        "broken",
    ]
    assert asked.simulation.attributes == {"Arn": "x"}
