# One page for a sale: what comes in, what waits, what is behind, what the stores have left.
data "aws_region" "here" {}

locals {
  panels = [
    {
      title = "Requests a minute", stat = "Sum"
      lines = [for service, group in var.target_groups : ["AWS/ApplicationELB", "RequestCountPerTarget", "LoadBalancer", var.balancer_arn_suffix, "TargetGroup", group, { label = service }]]
    },
    {
      title = "5xx a minute", stat = "Sum"
      lines = [for service, group in var.target_groups : ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.balancer_arn_suffix, "TargetGroup", group, { label = service }]]
    },
    {
      title = "Answer time, p99", stat = "p99"
      lines = [for service, group in var.target_groups : ["AWS/ApplicationELB", "TargetResponseTime", "LoadBalancer", var.balancer_arn_suffix, "TargetGroup", group, { label = service }]]
    },
    {
      title = "Attempts that wait", stat = "Maximum"
      lines = [for partition in range(var.partitions) : [var.namespace, "miaosha_payments_queue_messages", "service", var.payments_service, "queue", "attempts.${partition}", { label = tostring(partition) }]]
    },
    {
      title = "Behind, seconds", stat = "Maximum"
      lines = [for metric in ["overdue", "unfreed", "paying", "refund_due"] : [var.namespace, "miaosha_payments_${metric}_seconds", "service", var.payments_service, { label = metric }]]
    },
    {
      title = "Events and letters, seconds", stat = "Maximum"
      lines = [for metric in ["miaosha_relay_oldest_seconds", "miaosha_mail_oldest_unsent_seconds"] : [var.namespace, metric, "service", var.relay_service]]
    },
    {
      title = "Instances", stat = "Average"
      lines = [for service in var.services : ["AWS/AutoScaling", "GroupInServiceInstances", "AutoScalingGroupName", service, { label = service }]]
    },
    {
      title = "Sockets", stat = "Sum"
      lines = [for service in var.services : [var.namespace, "miaosha_gateway_sockets", "service", service, { label = service }] if strcontains(service, "gateway") || strcontains(service, "sockets")]
    },
    {
      title = "Ledger", stat = "Average"
      lines = [for metric in ["CPUUtilization", "WriteIOPS", "CommitLatency", "DatabaseConnections"] : ["AWS/RDS", metric, "DBInstanceIdentifier", var.stores.mysql]]
    },
    {
      title = "Broker", stat = "Maximum"
      lines = [for metric in ["MessageReadyCount", "PublishRate", "AckRate", "RabbitMQMemUsed"] : ["AWS/AmazonMQ", metric, "Broker", var.stores.broker]]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [
      for i, panel in local.panels : {
        type       = "metric", x = (i % 2) * 12, y = floor(i / 2) * 6, width = 12, height = 6
        properties = { title = panel.title, region = data.aws_region.here.name, period = 60, stat = panel.stat, view = "timeSeries", metrics = panel.lines }
      }
    ]
  })
}
