output "store_security_group_ids" {
  description = "Groups of the stores: mysql, redis, broker."
  value       = { for store, group in aws_security_group.store : store => group.id }
}

output "ports" {
  description = "Where each store listens."
  value       = local.ports
}

output "url_secret_arns" {
  description = "Secrets with the stores' URLs: mysql, mysql_replica, mysql_master, mysql_mailer, redis, broker."
  value       = { for store, secret in aws_secretsmanager_secret.url : store => secret.arn }
}

output "mailer_url_secret_id" {
  description = "The secret of the mailer's user, once it has a value."
  value       = aws_secretsmanager_secret_version.url["mysql_mailer"].secret_id
}

output "letters" {
  description = "The queue of letters."
  value       = { url = aws_sqs_queue.letters.url, arn = aws_sqs_queue.letters.arn, name = aws_sqs_queue.letters.name, visibility_s = var.letters.visibility_s }
}

output "dead_letters_name" {
  description = "The queue of letters that nobody could send."
  value       = aws_sqs_queue.dead.name
}

output "receipts" {
  description = "The bucket of receipts."
  value       = { name = module.receipts.name, arn = module.receipts.arn }
}

output "names" {
  description = "What the stores are called, for alarms."
  value = {
    mysql   = aws_db_instance.primary.identifier
    replica = one(aws_db_instance.replica[*].identifier)
    broker  = aws_mq_broker.this.broker_name
    redis   = one(aws_elasticache_replication_group.this[*].replication_group_id)
  }
}

output "mysql_address" {
  description = "Where the ledger is."
  value       = aws_db_instance.primary.address
}
