mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/m" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:m", version = "3" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:m:live" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:m-dead" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/m" }
  }
}

variables {
  name        = "shop-mailer"
  description = "Sends letters"
  package     = { bucket = "artifacts", key = "mailer.zip", digest = "x" }
  timeout_s   = 120
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  environment = { MIAOSHA__MYSQL__POOL_MAX = "4" }
  queue       = { arn = "arn:aws:sqs:eu-central-1:123456789012:letters", visibility_s = 720 }
  network = {
    vpc_id     = "vpc-1"
    subnet_ids = ["subnet-1"]
    reaches    = { mysql = { security_group_id = "sg-mysql", port = 3306 } }
    outside    = [443, 465]
  }
}

run "fed_from_a_queue" {
  command = apply
  assert {
    condition     = tolist(one(aws_lambda_event_source_mapping.queue).function_response_types) == tolist(["ReportBatchItemFailures"]) && one(aws_lambda_event_source_mapping.queue).batch_size == 10
    error_message = "one failure does not send the whole batch again"
  }
  assert {
    condition     = one(aws_lambda_event_source_mapping.queue).function_name == aws_lambda_alias.live.arn && aws_lambda_alias.live.function_version == "3"
    error_message = "by the alias, whose instances can be kept ready"
  }
  assert {
    condition     = one(aws_lambda_function.this.dead_letter_config).target_arn == aws_sqs_queue.dead.arn && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "what failed is kept, what was said is not kept for ever"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_egress_rule.outside : rule.from_port]) == toset([443, 465]) && one(aws_vpc_security_group_ingress_rule.reach["mysql"][*].from_port) == 3306
    error_message = "to the ledger, to AWS, to the mail server, and nowhere else"
  }
}

run "called_and_not_fed" {
  command = apply
  variables {
    queue           = null
    network         = null
    concurrency_max = 1
  }
  assert {
    condition     = length(aws_lambda_event_source_mapping.queue) == 0 && length(aws_security_group.this) == 0 && aws_lambda_function.this.reserved_concurrent_executions == 1
    error_message = "one at a time, in no network"
  }
}

run "a_queue_that_gives_out_again_too_early_is_refused" {
  command = plan
  variables {
    queue = { arn = "arn:aws:sqs:eu-central-1:123456789012:letters", visibility_s = 719 }
  }
  expect_failures = [var.queue]
}

run "two_packages_are_refused" {
  command = plan
  variables {
    package = { filename = "x.zip", bucket = "artifacts", key = "mailer.zip" }
  }
  expect_failures = [var.package]
}

run "no_package_is_refused" {
  command = plan
  variables {
    package = { bucket = "artifacts" }
  }
  expect_failures = [var.package]
}

run "an_hour_is_refused" {
  command = plan
  variables {
    timeout_s = 3600
    queue     = null
  }
  expect_failures = [var.timeout_s]
}

run "a_right_to_everything_is_refused" {
  command = plan
  variables {
    grants = { All = { actions = ["*"], resources = ["*"] } }
  }
  expect_failures = [var.grants]
}

run "little_memory_is_refused" {
  command = plan
  variables {
    memory_mb = 64
  }
  expect_failures = [var.memory_mb]
}
