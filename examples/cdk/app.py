"""The service as a part of a CDK app: CfnInclude takes the template that `make package` has written.

    make package BUCKET=artefacts-eu-west-1            # in the checkout; the bucket is in the stack's Region
    cp build/prewarm.json examples/cdk/ && cd examples/cdk
    pip install -r requirements.txt && cdk deploy

Parameters are those of docs/configuration.md.
"""

import os
from pathlib import Path

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk.cloudformation_include import CfnInclude
from constructs import Construct

TEMPLATE = Path(os.environ.get("PREWARM_TEMPLATE", Path(__file__).with_name("prewarm.json")))


class Prewarm(Stack):
    """The service, with its outputs for other stacks of the app."""

    def __init__(self, scope: Construct, name: str, **options: object) -> None:
        super().__init__(scope, name, **options)
        service = CfnInclude(
            self,
            "Service",
            template_file=str(TEMPLATE),
            parameters={"RetentionDays": 14, "AllowedDistributions": "account"},
        )
        # Any resource of the template can be referred to: here the function that `prewarm --function` invokes.
        function = service.get_resource("ApiFunction")
        CfnOutput(self, "PrewarmFunction", value=function.ref)


app = App()
Prewarm(app, "cloudfront-prewarm", env=Environment(region=os.environ.get("CDK_DEFAULT_REGION")))
app.synth()
