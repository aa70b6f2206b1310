# What the fleet remembers with. Each store is in a file of its own; here is what they share: who may be reached, and the
# passwords, which are drawn once and kept in the vault.
data "aws_region" "here" {}

locals {
  ports = { mysql = 3306, redis = 6379, broker = 5671 }
  # Users of the ledger beside those of Redis and the broker.
  users = toset(["mysql_master", "mysql_shop", "mysql_reader", "mysql_mailer", "redis", "broker"])
}

# Rules are written by those who come in: each service opens exactly what it uses.
resource "aws_security_group" "store" {
  #checkov:skip=CKV2_AWS_5:They are attached below, by their key
  for_each    = local.ports
  name        = "${var.name}-${each.key}"
  description = "${each.key} of ${var.name}"
  vpc_id      = var.vpc_id
  tags        = { Name = "${var.name}-${each.key}" }
}

ephemeral "aws_secretsmanager_random_password" "drawn" {
  for_each            = local.users
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "password" {
  #checkov:skip=CKV2_AWS_57:Passwords change in the steps of the runbook, with both old and new good for a while
  for_each                = local.users
  name                    = "${var.name}/password/${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days
}

resource "aws_secretsmanager_secret_version" "password" {
  for_each                 = local.users
  secret_id                = aws_secretsmanager_secret.password[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.drawn[each.key].random_password
  secret_string_wo_version = 1
}

# What was drawn first, whenever it is asked: a second draw is never used.
ephemeral "aws_secretsmanager_secret_version" "password" {
  for_each  = toset([for user in local.users : user if startswith(user, "mysql_")])
  secret_id = aws_secretsmanager_secret_version.password[each.key].secret_id
}

# Redis and the broker take theirs only in a way that ends up in the state; it is encrypted for that reason.
data "aws_secretsmanager_secret_version" "password" {
  for_each  = toset(["redis", "broker"])
  secret_id = aws_secretsmanager_secret_version.password[each.key].secret_id
}
