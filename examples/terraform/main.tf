# The service as a stack in Terraform. The template comes from `make package BUCKET=…` in a checkout, which prints its
# address; the bucket must be in the Region of the stack.
#
#   terraform init && terraform apply -var "template_url=https://BUCKET.s3.REGION.amazonaws.com/…/template-….json"

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "template_url" {
  type        = string
  description = "The address that make package has printed"
}

variable "distributions" {
  type        = list(string)
  default     = []
  description = "Distribution domains that may be warmed; empty: all of this account"
}

resource "aws_cloudformation_stack" "prewarm" {
  name         = "cloudfront-prewarm"
  template_url = var.template_url
  # The template has no transform, so CAPABILITY_AUTO_EXPAND is not needed.
  capabilities = ["CAPABILITY_IAM"]

  # docs/configuration.md describes all parameters.
  parameters = {
    AllowedDistributions = length(var.distributions) == 0 ? "account" : join(",", var.distributions)
    RetentionDays        = "30"
  }

  timeouts {
    create = "30m"
    update = "30m"
  }
}

# Lets a role call the API without a key: prewarm --function (docs/cli.md, "Without a key").
data "aws_iam_policy_document" "invoke" {
  statement {
    actions   = ["lambda:InvokeFunction"]
    resources = [aws_cloudformation_stack.prewarm.outputs["ApiFunctionArn"]]
  }
}

output "api_url" {
  value = aws_cloudformation_stack.prewarm.outputs["ApiUrl"]
}

output "function_arn" {
  value = aws_cloudformation_stack.prewarm.outputs["ApiFunctionArn"]
}

output "invoke_policy" {
  value = data.aws_iam_policy_document.invoke.json
}
