# Plans as the warmer reads them.
mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/m" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:m" }
  }
}

variables {
  name        = "shop"
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/k"
  warmer      = { live_arn = "arn:aws:lambda:eu-central-1:123456789012:function:shop-warmer:live", name = "shop-warmer", log_group_name = "/aws/lambda/shop-warmer" }
  targets = {
    groups        = { publisher = "shop-publisher", gateway = "shop-gateway" }
    target_groups = { publisher = "arn:p", gateway = "arn:g" }
    functions     = { mailer = { name = "shop-mailer", qualifier = "live" } }
  }
  events = {
    spring = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-01T14:00:00Z", capacities = { publisher = 12 }, functions = { mailer = 20 } }
    over   = { warm_at = "2020-03-01T09:00:00Z", cool_at = "2020-03-01T14:00:00Z", capacities = { publisher = 12 } }
  }
}

run "what_the_warmer_is_told" {
  command = apply
  assert {
    condition = jsondecode(output.inputs["spring-warm"]) == {
      version       = 1
      event         = "spring"
      action        = "warm"
      until         = "2030-03-01T14:00:00Z"
      groups        = [{ name = "shop-publisher", capacity = 12 }]
      instances     = [{ tag = "miaosha:general", value = "true" }]
      functions     = [{ name = "shop-mailer", qualifier = "live", provisioned = 20 }]
      target_groups = ["arn:p"]
      wait_s_max    = 600
    }
    error_message = "the whole plan, and of target groups those that it raises"
  }
  assert {
    condition     = merge(jsondecode(output.inputs["spring-warm"]), { action = "cool" }) == jsondecode(output.inputs["spring-cool"])
    error_message = "cooling names what warming named"
  }
  assert {
    condition     = aws_scheduler_schedule.event["spring-cool"].schedule_expression == "at(2030-03-01T14:00:00)" && aws_scheduler_schedule.event["spring-cool"].schedule_expression_timezone == "UTC"
    error_message = "at the minute, by the world's clock"
  }
  assert {
    condition     = toset(keys(aws_scheduler_schedule.event)) == toset(["spring-warm", "spring-cool"])
    error_message = "what is over is not called again"
  }
  assert {
    condition     = jsondecode(output.nightly_input).event == "nightly" && jsondecode(output.nightly_input).action == "cool" && length(jsondecode(output.nightly_input).groups) == 2
    error_message = "every night takes back what was left behind"
  }
}

run "a_time_without_utc_is_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-03-01T09:00:00+01:00", cool_at = "2030-03-01T14:00:00Z", capacities = {} } }
  }
  expect_failures = [var.events]
}

run "a_day_that_there_is_not_is_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-02-31T09:00:00Z", cool_at = "2030-03-31T14:00:00Z", capacities = {} } }
  }
  expect_failures = [var.events]
}

run "an_end_before_the_beginning_is_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-01T09:05:00Z", capacities = {} } }
  }
  expect_failures = [var.events]
}

run "eight_days_are_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-09T09:00:00Z", capacities = {} } }
  }
  expect_failures = [var.events]
}

run "a_name_that_makes_no_tag_is_refused" {
  command = plan
  variables {
    events = { "Spring Sale" = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-01T14:00:00Z", capacities = {} } }
  }
  expect_failures = [var.events]
}

run "a_service_that_there_is_not_is_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-01T14:00:00Z", capacities = { publishers = 2 } } }
  }
  expect_failures = [var.events]
}

run "half_an_instance_is_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-01T14:00:00Z", capacities = { publisher = 1.5 } } }
  }
  expect_failures = [var.events]
}

run "a_wait_longer_than_the_function_is_refused" {
  command = plan
  variables {
    events = { spring = { warm_at = "2030-03-01T09:00:00Z", cool_at = "2030-03-01T14:00:00Z", capacities = {}, wait_s_max = 900 } }
  }
  expect_failures = [var.events]
}
