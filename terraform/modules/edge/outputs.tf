output "listener_arn" {
  description = "The listener that services add their rules to."
  value       = aws_lb_listener.https.arn
}

output "box_office_listener_arn" {
  description = "The listener of the box office; null without one."
  value       = one(aws_lb_listener.box_office[*].arn)
}

output "balancer_arn_suffix" {
  description = "What the balancer is called in metrics."
  value       = aws_lb.this.arn_suffix
}

output "balancer_dns_name" {
  description = "Where the balancer is."
  value       = aws_lb.this.dns_name
}

output "balancer_security_group_id" {
  description = "Who knocks at the services' doors."
  value       = aws_security_group.balancer.id
}

output "trusted_hops" {
  description = "Proxies in front of a service that add the address they saw: the balancer, and CloudFront before it."
  value       = var.cdn ? 2 : 1
}

output "own_header" {
  description = "Header by which services' rules know a request of our distribution; empty without one."
  value       = local.own_header
  # Asked for only once every place of CloudFront says it.
  depends_on = [aws_cloudfront_distribution.this]
}

output "static_bucket" {
  description = "Where the shop's files belong, under web/."
  value       = module.static.name
}

output "distribution_id" {
  description = "The distribution, to make it forget old files; null without one."
  value       = one(aws_cloudfront_distribution.this[*].id)
}
