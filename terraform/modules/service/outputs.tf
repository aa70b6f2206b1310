output "group_name" {
  description = "The Auto Scaling group."
  value       = aws_autoscaling_group.this.name
}

output "group_arn" {
  description = "Its ARN."
  value       = aws_autoscaling_group.this.arn
}

output "target_group_arn" {
  description = "The target group; null for a service that takes no requests."
  value       = one(aws_lb_target_group.this[*].arn)
}

output "target_group_arn_suffix" {
  description = "What the target group is called in metrics; null without one."
  value       = one(aws_lb_target_group.this[*].arn_suffix)
}

output "box_office_target_group_arn_suffix" {
  description = "What the box office's target group is called in metrics; null without one."
  value       = one(aws_lb_target_group.box_office[*].arn_suffix)
}

output "security_group_id" {
  description = "Group of its instances."
  value       = aws_security_group.this.id
}

output "deregistration_s" {
  description = "How long the balancer lets requests finish; null without one."
  value       = one(aws_lb_target_group.this[*].deregistration_delay)
}

output "launch_template_version" {
  description = "The version that instances are made from."
  value       = aws_launch_template.this.latest_version
}

output "environment_names" {
  description = "Every variable that the service is started with."
  value       = sort(concat(keys(var.environment), keys(var.secrets)))
}
