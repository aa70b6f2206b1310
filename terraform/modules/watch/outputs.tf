output "topic_arn" {
  description = "Where alarms go."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "Every alarm."
  value       = sort([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name])
}

output "own_metrics" {
  description = "Metrics of the services that alarms or the dashboard name."
  value       = sort(distinct(concat([for alarm in values(local.own) : alarm.metric], [for alarm in values(local.queues) : alarm.metric], ["miaosha_gateway_sockets"])))
}
