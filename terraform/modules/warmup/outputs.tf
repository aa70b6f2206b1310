output "inputs" {
  description = "What the warmer is called with, by schedule."
  value       = { for name, call in local.calls : name => jsonencode(call.input) }
}

output "nightly_input" {
  description = "What it is called with every night."
  value       = jsonencode(local.nightly)
}

output "schedule_group" {
  description = "Where the schedules are."
  value       = aws_scheduler_schedule_group.this.name
}
