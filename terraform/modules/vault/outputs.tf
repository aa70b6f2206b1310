output "kms_key_arn" {
  description = "The key."
  value       = aws_kms_key.this.arn
}

output "secret_arns" {
  description = "Where each secret is, by the variable that a service reads it from."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "smtp_secret_id" {
  description = "The secret with the mail server's URL, once it has a value."
  value       = aws_secretsmanager_secret_version.made["MIAOSHA__MAIL__SMTP_URL"].secret_id
}

output "origin_secret_id" {
  description = "The secret with what the distribution says to the balancer, once it has a value."
  value       = aws_secretsmanager_secret_version.made["ORIGIN_SECRETS"].secret_id
}
