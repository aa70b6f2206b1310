mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:shop-alarms" }
  }
}

variables {
  name                = "shop"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/k"
  emails              = ["ops@example.org"]
  balancer_arn_suffix = "app/shop/1"
  target_groups       = { publisher = "targetgroup/p/1", gateway = "targetgroup/g/1" }
  payments_service    = "shop-payment-consumer"
  relay_service       = "shop-payment-consumer"
  services            = ["shop-publisher", "shop-gateway"]
  stores              = { mysql = "shop-ledger", replica = "shop-ledger-reader", broker = "shop-broker", redis = "shop-turnstile" }
  letters             = { name = "shop-letters", dead_name = "shop-letters-dead" }
}

run "everything_that_wakes_somebody" {
  command = apply
  assert {
    condition = length(setsubtract(
      ["shop-lapse-lag", "shop-ledger-lag", "shop-parked", "shop-attempts-0", "shop-attempts-3", "shop-publisher-5xx", "shop-gateway-unhealthy", "shop-replica-lag", "shop-letters-dead", "shop-redis-memory-3"],
      output.alarm_names,
    )) == 0
    error_message = "queue depth, ledger lag, 5xx, parked messages, lapse lag"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : tolist(alarm.alarm_actions) == tolist([aws_sns_topic.alarms.arn])])
    error_message = "all of them tell somebody"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["lapse-lag"].treat_missing_data == "breaching"
    error_message = "when nobody measures, nobody settles"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["parked"].dimensions == tomap({ service = "shop-payment-consumer", queue = "parked" })
    error_message = "by the labels that the service gives"
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 10
    error_message = "one page"
  }
}

run "without_replica_and_redis" {
  command = plan
  variables {
    stores = { mysql = "shop-ledger", broker = "shop-broker" }
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "replica-lag") && !contains(keys(aws_cloudwatch_metric_alarm.this), "redis-memory-1")
    error_message = "no alarm for what there is not"
  }
}

run "no_address_is_refused" {
  command = plan
  variables {
    emails = ["ops"]
  }
  expect_failures = [var.emails]
}

run "no_threshold_is_refused" {
  command = plan
  variables {
    thresholds = { overdue_s_max = 0 }
  }
  expect_failures = [var.thresholds]
}

run "more_than_everything_is_refused" {
  command = plan
  variables {
    thresholds = { mysql_cpu_max = 120 }
  }
  expect_failures = [var.thresholds]
}

run "no_partitions_are_refused" {
  command = plan
  variables {
    partitions = 0
  }
  expect_failures = [var.partitions]
}
