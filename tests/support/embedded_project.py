"""A small project for tests of the embedded stack: template, state machine and handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  StageName: {Type: String, Default: live}
Globals:
  Function:
    CodeUri: code/
    Runtime: python3.13
    Timeout: 10
    Environment:
      Variables:
        STORE: !Ref Store
        WHERE: !Sub "${AWS::Region}/${Store.Arn}"
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref StageName
      Auth: {ApiKeyRequired: true}
      BinaryMediaTypes: [image/png]
      GatewayResponses:
        INVALID_API_KEY:
          StatusCode: 403
          ResponseTemplates: {application/json: '{"why": $context.error.messageString}'}
        DEFAULT_5XX:
          ResponseTemplates: {application/json: '{"broken": $context.error.messageString}'}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: handlers.echo
      Events:
        Post: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /echo, Method: POST}}
        Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/items/{id}", Method: GET}}
        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /open, Method: GET, Auth: {ApiKeyRequired: false}}}
  Answers:
    Type: AWS::Serverless::Function
    Properties:
      Handler: handlers.answers
      Events:
        Post: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /answers, Method: POST, TimeoutInMillis: 1500}}
  Acts:
    Type: AWS::Serverless::Function
    Properties: {Handler: handlers.acts, Timeout: 1}
  Broken:
    Type: AWS::Serverless::Function
    Properties: {Handler: nowhere.handler}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.asl.yaml
      DefinitionSubstitutions: {Acts: !GetAtt Acts.Arn, Store: !Ref Store}
      Role: !Sub "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/machine"
  Store: {Type: AWS::S3::Bucket}
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: run, AttributeType: S}]
      KeySchema: [{AttributeName: run, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
"""

MACHINE = """
StartAt: Which
States:
  Which:
    Type: Choice
    Choices:
      - {Variable: $.act, IsPresent: true, Next: Act}
      - {Variable: $.invalidation, IsPresent: true, Next: Invalidated}
      - {Variable: $.big, IsPresent: true, Next: BigMap}
    Default: Items
  Act:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Parameters: {FunctionName: "${Acts}", Payload.$: $}
    OutputPath: $.Payload
    Retry: [{ErrorEquals: [Sandbox.Timedout], IntervalSeconds: 1, MaxAttempts: 1}]
    End: true
  Invalidated:
    Type: Task
    Resource: arn:aws:states:::aws-sdk:cloudfront:getInvalidation
    Parameters: {DistributionId.$: $.distribution, Id.$: $.invalidation}
    ResultSelector: {status.$: $.Invalidation.Status}
    End: true
  BigMap:
    Type: Map
    Label: BigMap
    MaxConcurrency: 1
    ItemReader: &reader
      Resource: arn:aws:states:::s3:getObject
      ReaderConfig: {InputType: JSON}
      Parameters: {Bucket: "${Store}", Key.$: $.items}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: Nothing
      States: {Nothing: {Type: Pass, End: true}}
    End: true
  Items:
    Type: Map
    Label: Items
    MaxConcurrency: 4
    ToleratedFailurePercentage: 100
    ItemReader: *reader
    ItemSelector: {act: store, item.$: $$.Map.Item.Value, run.$: $$.Execution.Name}
    ItemProcessor:
      ProcessorConfig: {Mode: DISTRIBUTED, ExecutionType: STANDARD}
      StartAt: Store
      States:
        Store:
          Type: Task
          Resource: arn:aws:states:::lambda:invoke
          Parameters: {FunctionName: "${Acts}", Payload.$: $}
          ResultSelector: {stored.$: $.Payload.stored}
          End: true
    ResultPath: null
    End: true
"""

HANDLERS = """
import os, time, boto3
s3 = boto3.client("s3")
STORE = os.environ["STORE"]

def echo(event, context):
    import json
    body = {"event": event, "environment": dict(os.environ), "pid": os.getpid(), "arn": context.invoked_function_arn}
    return {"statusCode": 201, "headers": {"X-One": "1"}, "multiValueHeaders": {"X-Many": ["a", "b"]},
            "body": json.dumps(body)}

def answers(event, context):
    match event["body"]:
        case "raise": raise ValueError("no such luck")
        case "malformed": return {"status": 200}
        case "slow": time.sleep(12)
        case "binary": return {"statusCode": 200, "body": "AAH/", "isBase64Encoded": True,
                               "headers": {"Content-Type": "image/png"}}
    return {"statusCode": 204}

def acts(event, context):
    match event["act"]:
        case "pid": return {"pid": os.getpid(), "left": context.get_remaining_time_in_millis()}
        case "exit": os._exit(3)
        case "raise": raise LookupError("lost")
        case "hang": time.sleep(30)
        case "big": return "x" * 6_300_000
        case "wait":
            time.sleep(0.5)
            return {"pid": os.getpid()}
        case "hang once":
            if "Contents" not in s3.list_objects_v2(Bucket=STORE, Prefix="hung"):
                s3.put_object(Bucket=STORE, Key="hung", Body=b"")
                time.sleep(30)
            return {"second": True}
        case "store": s3.put_object(Bucket=STORE, Key=f"{event['run']}/{event['item']['id']}", Body=b"")
    return {"stored": True}
"""

DOMAIN = "d111abc.cloudfront.net"


def write_project(folder: Path, template: str = TEMPLATE) -> Path:
    (folder / "code").mkdir()
    (folder / "code" / "handlers.py").write_text(HANDLERS)
    (folder / "machine.asl.yaml").write_text(MACHINE)
    (folder / "template.yaml").write_text(template)
    return folder / "template.yaml"


SCRIPT = """
import json, sys, time
from prewarm_local.stack.stack import EmbeddedStack
stack = EmbeddedStack(sys.argv[1])
client = stack.client("lambda")
client.invoke(FunctionName="cloudfront-prewarm-Acts", Payload=b'{"act": "pid"}')
print(json.dumps(stack.workers.pids()), flush=True)
time.sleep(60)
"""
