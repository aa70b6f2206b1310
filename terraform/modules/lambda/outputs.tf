output "name" {
  description = "The function."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "Its ARN, without a version."
  value       = aws_lambda_function.this.arn
}

output "live_arn" {
  description = "What callers use."
  value       = aws_lambda_alias.live.arn
}

output "dead_name" {
  description = "The queue of calls that failed to the end."
  value       = aws_sqs_queue.dead.name
}

output "role_name" {
  description = "Its role."
  value       = aws_iam_role.this.name
}

output "log_group_name" {
  description = "Where it says what it did."
  value       = aws_cloudwatch_log_group.this.name
}
