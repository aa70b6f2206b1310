# An event's two moments, as schedules of their own: each calls the warmer with the whole plan, the same both times but for
# what is to be done. What overlaps is the warmer's to sort out: it keeps what another event still needs.
locals {
  # What is over has done its work: its schedules go with the next apply.
  coming = { for name, event in var.events : name => event if timecmp(event.cool_at, plantimestamp()) > 0 }

  calls = merge([
    for name, event in local.coming : {
      for action in ["warm", "cool"] : "${name}-${action}" => {
        at    = action == "warm" ? event.warm_at : event.cool_at
        input = merge(local.plans[name], { action = action })
      }
    }
  ]...)

  plans = {
    for name, event in local.coming : name => {
      version       = 1
      event         = name
      until         = event.cool_at
      groups        = [for service, capacity in event.capacities : { name = var.targets.groups[service], capacity = capacity }]
      instances     = event.general ? [local.general] : []
      functions     = [for function, ready in event.functions : merge(var.targets.functions[function], { provisioned = ready })]
      target_groups = [for service, arn in var.targets.target_groups : arn if contains(keys(event.capacities), service)]
      wait_s_max    = event.wait_s_max
    }
  }

  general = { tag = "miaosha:general", value = "true" }

  # Takes back what a lost cooling left behind, and does nothing else.
  nightly = {
    version       = 1
    event         = "nightly"
    action        = "cool"
    until         = "2026-01-01T00:00:00Z"
    groups        = [for group in values(var.targets.groups) : { name = group, capacity = 1 }]
    instances     = [local.general]
    functions     = [for function in values(var.targets.functions) : merge(function, { provisioned = 1 })]
    target_groups = []
    wait_s_max    = 0
  }
}

resource "aws_scheduler_schedule_group" "this" {
  name = "${var.name}-events"
}

resource "aws_scheduler_schedule" "event" {
  for_each                     = local.calls
  name                         = each.key
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "Of an event: ${each.key}"
  schedule_expression          = "at(${trimsuffix(each.value.at, "Z")})"
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = var.warmer.live_arn
    role_arn = aws_iam_role.this.arn
    input    = jsonencode(each.value.input)
    retry_policy {
      maximum_event_age_in_seconds = 1800
      maximum_retry_attempts       = 10
    }
    dead_letter_config {
      arn = aws_sqs_queue.undelivered.arn
    }
  }
}

resource "aws_scheduler_schedule" "nightly" {
  name                         = "nightly"
  group_name                   = aws_scheduler_schedule_group.this.name
  description                  = "Takes back what a lost cooling left behind"
  schedule_expression          = "cron(30 4 * * ? *)"
  schedule_expression_timezone = "UTC"
  kms_key_arn                  = var.kms_key_arn

  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = var.warmer.live_arn
    role_arn = aws_iam_role.this.arn
    input    = jsonencode(local.nightly)
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 3
    }
    dead_letter_config {
      arn = aws_sqs_queue.undelivered.arn
    }
  }
}

resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-warmup-undelivered"
  message_retention_seconds = 14 * 86400
  kms_master_key_id         = var.kms_key_arn
}
