output "instance_id" {
  description = "The instance, for `aws ssm start-session --target`."
  value       = aws_instance.this.id
}

output "security_group_id" {
  description = "Its group."
  value       = aws_security_group.this.id
}
