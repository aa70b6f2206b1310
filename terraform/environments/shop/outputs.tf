output "shop_url" {
  description = "Where shoppers go."
  value       = "https://${var.domain}"
}

output "balancer" {
  description = "Where the balancer is, for looking at it without the name."
  value       = module.edge.balancer_dns_name
}

output "static_bucket" {
  description = "Where the shop's files belong: aws s3 sync web/ s3://…/web/"
  value       = module.edge.static_bucket
}

output "distribution_id" {
  description = "The distribution, to make it forget old files."
  value       = module.edge.distribution_id
}

output "operator_instance_id" {
  description = "The operators' place: aws ssm start-session --target …"
  value       = module.operator.instance_id
}

output "groups" {
  description = "Auto Scaling groups by service."
  value       = { for service, group in module.service : service => group.group_name }
}

output "warm_up" {
  description = "What the warmer is called with, by schedule."
  value       = module.warmup.inputs
}

output "nat_addresses" {
  description = "What mail server and payment provider see us as."
  value       = module.network.nat_addresses
}

output "environment_names" {
  description = "Variables that each service is started with."
  value       = { for service, group in module.service : service => group.environment_names }
}

output "connections" {
  description = "Connections that the fleet at its largest may open to the ledger, and what the ledger takes."
  value       = { wanted = local.connections, max = local.mysql_connections_max }
  precondition {
    condition     = local.connections < local.mysql_connections_max
    error_message = "The fleet at its largest would open ${local.connections} connections to the ledger, which takes ${local.mysql_connections_max}: lower pool_max or the capacities, or raise mysql.connections_max."
  }
}

locals {
  mysql_connections_max = coalesce(var.mysql.connections_max, local.mysql.connections_max)
  largest = {
    for service in ["consumer", "payment-consumer", "gateway", "sockets"] : service => max(
      local.plan[service].capacity.max,
      [for event in values(var.events) : max(lookup(event.capacities, service, 0), lookup(event.scheduled, service, 0))]...
    )
  }
  # Each mailer at work has four.
  connections = sum(values(local.largest)) * var.pool_max + 20 * 4
}
