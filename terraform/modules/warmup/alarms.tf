# Whoever waits for a fleet that is not coming must know an hour before the doors open, not after.
resource "aws_cloudwatch_log_metric_filter" "not_ready" {
  name           = "${var.name}-warmup-not-ready"
  log_group_name = var.warmer.log_group_name
  pattern        = "{ $.outcome = \"not_ready\" }"
  metric_transformation {
    name      = "${var.name}-warmup-not-ready"
    namespace = "Miaosha"
    value     = "1"
  }
}

locals {
  alarms = {
    not-ready   = { namespace = "Miaosha", metric = "${var.name}-warmup-not-ready", dimensions = {}, what = "A warm-up ended and not everything is ready: its log names what is missing." }
    errors      = { namespace = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = var.warmer.name }, what = "The warmer failed; it is tried again." }
    undelivered = { namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = aws_sqs_queue.undelivered.name }, what = "A warm-up or a cooling could not even be called." }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-warmup-${each.key}"
  alarm_description   = each.value.what
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 1
  threshold           = 0
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}
