# What takes an instance refresh back. For those that answer: too many 5xx; for the others: nobody is ready.
locals {
  rollback_alarm = "${var.name}-refresh"
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  count               = var.front == null ? 0 : 1
  alarm_name          = local.rollback_alarm
  alarm_description   = "${var.name} answers with 5xx: an instance refresh that is under way goes back."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HTTPCode_Target_5XX_Count"
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 2
  threshold           = var.errors_per_minute_max
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data  = "notBreaching"
  dimensions = {
    LoadBalancer = var.front.balancer_arn_suffix
    TargetGroup  = aws_lb_target_group.this[0].arn_suffix
  }
}

resource "aws_cloudwatch_metric_alarm" "unready" {
  count               = var.front == null ? 1 : 0
  alarm_name          = local.rollback_alarm
  alarm_description   = "An instance of ${var.name} is not ready: an instance refresh that is under way goes back."
  namespace           = var.metrics_namespace
  metric_name         = "miaosha_process_ready"
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 5
  threshold           = 1
  comparison_operator = "LessThanThreshold"
  treat_missing_data  = "notBreaching"
  dimensions          = { service = var.name }
}
